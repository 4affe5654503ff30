import type { DeletionSelector, DeletionStatus } from '@hearth/query-contract';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** An order to delete; kept after it is done, as the record of who is to know that the data is gone. */
@Entity('deletion')
export class DeletionEntity {
  /** Of a service that may no longer be there. */
  @PrimaryColumn({ type: 'bigint', name: 'service_id' })
  serviceId: number;

  @PrimaryColumn({ type: 'bigint', generated: 'identity' })
  id: number;

  @Column({ type: 'bigint', name: 'project_id' })
  projectId: number;

  @Column({ type: 'text' })
  service: string;

  /** `null`: the whole service. */
  @Column({ type: 'jsonb', nullable: true })
  selector: Exclude<DeletionSelector, { readonly kind: 'service' }> | null;

  /** What had the label when it was ordered. Thousands at most, and only of use to who carries it out. */
  @Column({ type: 'bigint', array: true, name: 'label_set_ids', select: false })
  labelSetIds: number[];

  @Column({ type: 'bigint', array: true, name: 'process_ids', select: false })
  processIds: number[];

  /** Partitions out of which something was taken, and whose disk has not come back yet. */
  @Column({ type: 'text', array: true, name: 'changed_tables', select: false })
  changedTables: string[];

  @Column({ type: 'text', name: 'state' })
  status: DeletionStatus;

  @Column({ type: 'integer', name: 'steps_done' })
  stepsDone: number;

  @Column({ type: 'integer', name: 'steps_total' })
  stepsTotal: number;

  @Column({ type: 'bigint', name: 'rows_removed' })
  rowsRemoved: number;

  @Column({ type: 'bigint', name: 'bytes_returned' })
  bytesReturned: number;

  @Column({ type: 'bigint', name: 'created_ms' })
  createdMs: number;

  @Column({ type: 'bigint', name: 'finished_ms', nullable: true })
  finishedMs: number | null;

  /** Runs begun. */
  @Column({ type: 'integer' })
  attempts: number;

  /** After a run that failed: not before. */
  @Column({ type: 'bigint', name: 'next_attempt_ms' })
  nextAttemptMs: number;

  @Column({ type: 'text', name: 'error_code', nullable: true })
  errorCode: string | null;

  @Column({ type: 'text', name: 'error_message', nullable: true })
  errorMessage: string | null;
}
