import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('service')
export class ServiceEntity {
  @PrimaryColumn({ type: 'bigint', generated: 'identity' })
  id: number;

  @Column({ type: 'bigint', name: 'project_id' })
  projectId: number;

  @Column({ type: 'text' })
  name: string;

  @Column({ type: 'bigint', name: 'first_seen_ms' })
  firstSeenMs: number;

  @Column({ type: 'bigint', name: 'last_seen_ms' })
  lastSeenMs: number;

  /** How often label sets of it were deleted: whoever remembers some from before asks again. */
  @Column({ type: 'bigint', name: 'label_generation', default: 0 })
  labelGeneration: number;
}
