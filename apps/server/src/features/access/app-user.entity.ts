import { Column, Entity, PrimaryColumn } from 'typeorm';

export type UserRole = 'admin' | 'member';

@Entity('app_user')
export class AppUserEntity {
  @PrimaryColumn({ type: 'bigint', generated: 'identity' })
  id: number;

  /** Lower case. */
  @Column({ type: 'text' })
  email: string;

  /** As password.ts writes it. */
  @Column({ type: 'text', name: 'password_hash' })
  passwordHash: string;

  @Column({ type: 'text' })
  role: UserRole;

  @Column({ type: 'bigint', name: 'created_ms' })
  createdMs: number;
}
