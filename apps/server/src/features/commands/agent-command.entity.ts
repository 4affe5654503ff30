import type { CommandKind } from '@hearth/query-contract';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What some processes of a service were asked to do. */
@Entity('agent_command')
export class AgentCommandEntity {
  @PrimaryColumn({ type: 'bigint', name: 'service_id' })
  serviceId: number;

  @PrimaryColumn({ type: 'bigint', generated: 'identity' })
  id: number;

  @Column({ type: 'text' })
  kind: CommandKind;

  /** As processes call themselves: 32 hexadecimal digits. */
  @Column({ type: 'text', array: true, name: 'process_keys' })
  processKeys: string[];

  @Column({ type: 'int', name: 'duration_ms' })
  durationMs: number;

  /** Whose calls are counted; of other kinds none. */
  @Column({ type: 'text', array: true })
  functions: string[];

  @Column({ type: 'text', array: true })
  files: string[];

  @Column({ type: 'bigint', name: 'issued_ms' })
  issuedMs: number;

  /** From then on it is offered no more. */
  @Column({ type: 'bigint', name: 'expires_ms' })
  expiresMs: number;
}
