import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * `folded`: kept under the name `__other__`. `dropped`: not kept, the rest of the batch was. `refused`: the sender was told.
 */
export type LimitOutcome = 'folded' | 'dropped' | 'refused';

/** How often one limit was met by one service. */
@Entity('limit_hit')
export class LimitHitEntity {
  @PrimaryColumn({ type: 'bigint', name: 'project_id' })
  projectId: number;

  /** '' where it is not known, or is what was refused: a stranger's names must not fill this table. */
  @PrimaryColumn({ type: 'text' })
  service: string;

  @PrimaryColumn({ type: 'text' })
  code: string;

  @Column({ type: 'text' })
  outcome: LimitOutcome;

  @Column({ type: 'bigint' })
  count: number;

  @Column({ type: 'bigint', name: 'first_ms' })
  firstMs: number;

  @Column({ type: 'bigint', name: 'last_ms' })
  lastMs: number;
}
