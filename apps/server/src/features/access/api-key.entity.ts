import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What a key may do: send, read, or everything. */
export type ApiKeyKind = 'ingest' | 'read' | 'admin';

/** A key of a project. The key itself is not stored. */
@Entity('api_key')
export class ApiKeyEntity {
  @PrimaryColumn({ type: 'bigint', generated: 'identity' })
  id: number;

  @Column({ type: 'bigint', name: 'project_id' })
  projectId: number;

  @Column({ type: 'text' })
  name: string;

  @Column({ type: 'text' })
  kind: ApiKeyKind;

  /** SHA-256: the key has 256 random bits, so it needs neither salt nor a slow hash. */
  @Column({ type: 'bytea', name: 'key_hash' })
  keyHash: Buffer;

  @Column({ type: 'text' })
  prefix: string;

  @Column({ type: 'bigint', name: 'created_ms' })
  createdMs: number;

  @Column({ type: 'bigint', name: 'last_used_ms', nullable: true })
  lastUsedMs: number | null;
}
