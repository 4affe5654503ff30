import type { DeletionStatus } from '@hearth/query-contract';
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

  @Column({ type: 'text' })
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
}
