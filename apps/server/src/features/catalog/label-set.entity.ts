import type { LabelSet } from '@hearth/profile-model';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A label set that samples of the service carry, kept once. */
@Entity('label_set')
export class LabelSetEntity {
  @PrimaryColumn({ type: 'bigint', name: 'service_id' })
  serviceId: number;

  @PrimaryColumn({ type: 'bigint', generated: 'identity' })
  id: number;

  @Column({ type: 'jsonb' })
  labels: LabelSet;

  /** SHA-256 of `labelSetKey`. */
  @Column({ type: 'bytea' })
  hash: Buffer;
}
