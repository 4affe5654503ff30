import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The git SHA that processes were built from. */
@Entity('revision')
export class RevisionEntity {
  @PrimaryColumn({ type: 'bigint', name: 'service_id' })
  serviceId: number;

  @PrimaryColumn({ type: 'bigint', generated: 'identity' })
  id: number;

  /** `UNKNOWN_REVISION` where the process could not tell; `__other__` where the service has too many. */
  @Column({ type: 'text' })
  name: string;

  /** Of the service's package.json; '' if unknown. */
  @Column({ type: 'text' })
  version: string;

  @Column({ type: 'bigint', name: 'first_seen_ms' })
  firstSeenMs: number;

  @Column({ type: 'bigint', name: 'last_seen_ms' })
  lastSeenMs: number;
}
