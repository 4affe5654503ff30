import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Whose services and keys they are. */
@Entity('project')
export class ProjectEntity {
  @PrimaryColumn({ type: 'bigint', generated: 'identity' })
  id: number;

  @Column({ type: 'text' })
  name: string;

  @Column({ type: 'bigint', name: 'created_ms' })
  createdMs: number;
}
