import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A revision that is to stay comparable for ever. */
@Entity('pinned_revision')
export class PinnedRevisionEntity {
  @PrimaryColumn({ type: 'bigint', name: 'service_id' })
  serviceId: number;

  @PrimaryColumn({ type: 'bigint', name: 'revision_id' })
  revisionId: number;

  /** When it was asked for. */
  @Column({ type: 'bigint', name: 'pinned_ms' })
  pinnedMs: number;
}
