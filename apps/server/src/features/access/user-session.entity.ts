import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A signed-in browser. The token itself is only in its cookie. */
@Entity('user_session')
export class UserSessionEntity {
  @PrimaryColumn({ type: 'bytea', name: 'token_hash' })
  tokenHash: Buffer;

  @Column({ type: 'bigint', name: 'user_id' })
  userId: number;

  @Column({ type: 'bigint', name: 'created_ms' })
  createdMs: number;

  @Column({ type: 'bigint', name: 'expires_ms' })
  expiresMs: number;
}
