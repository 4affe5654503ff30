import type { RetentionDays } from '@hearth/query-contract';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** How long a project keeps what; one without a row keeps it for the defaults. */
@Entity('retention_policy')
export class RetentionPolicyEntity {
  @PrimaryColumn({ type: 'bigint', name: 'project_id' })
  projectId: number;

  @Column({ type: 'jsonb' })
  days: RetentionDays;

  @Column({ type: 'bigint', name: 'changed_ms' })
  changedMs: number;
}
