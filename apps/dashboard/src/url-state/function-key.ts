import type { FunctionKey } from '@hearth/profile-model';

/** Stands for a function in a URL: short, and the same in every answer and every release. */
export type FunctionHash = string;

const SEPARATOR = '\0';

/** Two functions of one service share a hash with a probability of about 1e-9 at 10,000 functions. */
export function functionHash(key: FunctionKey): FunctionHash {
  return hash53(`${key.name}${SEPARATOR}${key.package}${SEPARATOR}${key.file}`).toString(36);
}

/** The functions from the root's child to the frame. */
export function pathText(path: readonly FunctionHash[]): string {
  return path.join('.');
}

export function readPath(text: string): FunctionHash[] {
  return text === '' ? [] : text.split('.').filter((hash) => /^[0-9a-z]{1,11}$/.test(hash));
}

/** 53 bits of two multiplicative hashes, so that the number is exact in JavaScript. */
function hash53(text: string): number {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    high = Math.imul(high ^ code, 2_654_435_761);
    low = Math.imul(low ^ code, 1_597_334_677);
  }
  high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
  low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
  return 4_294_967_296 * (2_097_151 & low) + (high >>> 0);
}
