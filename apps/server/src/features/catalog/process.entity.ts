import type { LabelSet } from '@hearth/profile-model';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One start of one program. */
@Entity('process')
export class ProcessEntity {
  @PrimaryColumn({ type: 'bigint', name: 'service_id' })
  serviceId: number;

  @PrimaryColumn({ type: 'bigint', generated: 'identity' })
  id: number;

  /** What the process calls itself: 32 hexadecimal digits. Of one that stands for many, `__other__.` and the numbers of its environment and revision. */
  @Column({ type: 'text' })
  key: string;

  @Column({ type: 'bigint', name: 'environment_id' })
  environmentId: number;

  @Column({ type: 'bigint', name: 'revision_id' })
  revisionId: number;

  @Column({ type: 'bigint', name: 'started_at_ms' })
  startedAtMs: number;

  /** End of its latest batch. */
  @Column({ type: 'bigint', name: 'last_seen_ms' })
  lastSeenMs: number;

  @Column({ type: 'text' })
  host: string;

  @Column({ type: 'bigint' })
  pid: number;

  @Column({ type: 'text', name: 'node_version' })
  nodeVersion: string;

  @Column({ type: 'text', name: 'agent_version' })
  agentVersion: string;

  /** Samples per second that were asked for; 0 if unknown. */
  @Column({ type: 'double precision', name: 'rate_hz' })
  rateHz: number;

  /** Batches that its agent gave up, by its own count. */
  @Column({ type: 'bigint', name: 'dropped_batches' })
  droppedBatches: number;

  /** Of the process itself, as region or pod. */
  @Column({ type: 'jsonb' })
  labels: LabelSet;
}
