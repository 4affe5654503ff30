import { createHash, randomBytes } from 'node:crypto';

/** 256 random bits, as text that survives URLs and shells. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** What is stored of a secret of 256 random bits. */
export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
