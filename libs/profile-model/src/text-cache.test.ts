import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TextCache } from './text-cache.js';

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const encode = (text: string) => new TextEncoder().encode(text);

describe('TextCache', () => {
  it('gives the text of any bytes, wherever they stand, known or not', () => {
    const cache = new TextCache();
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 300 }), { maxLength: 50 }), (texts) => {
        for (const text of [...texts, ...texts]) {
          const bytes = encode(`before${text}behind`);
          expect(cache.text(bytes, 6, bytes.length - 6, decode)).toBe(text);
        }
      }),
    );
  });

  it('decodes a text once', () => {
    const cache = new TextCache();
    let decoded = 0;
    const counted = (bytes: Uint8Array) => {
      decoded += 1;
      return decode(bytes);
    };
    for (const text of ['handle', 'handle', 'handlf', '', '', 'handle', 'x'.repeat(256), 'x'.repeat(256)]) {
      const bytes = encode(text);
      expect(cache.text(bytes, 0, bytes.length, counted)).toBe(text);
    }
    expect(decoded).toBe(4);
    const long = encode('x'.repeat(257));
    cache.text(long, 0, long.length, counted);
    cache.text(long, 0, long.length, counted);
    expect(decoded).toBe(6); // too long to keep
  });

  it('stays right and bounded when it is full', () => {
    const cache = new TextCache();
    for (let number = 0; number < 200_000; number += 1) {
      const text = `src/routes/orders-${number % 150_000}.js`;
      const bytes = encode(text);
      if (cache.text(bytes, 0, bytes.length, decode) !== text) expect.unreachable(text);
    }
    const long = (number: number) => `${number}`.padStart(256, '-');
    for (let number = 0; number < 20_000; number += 1) {
      const bytes = encode(long(number));
      if (cache.text(bytes, 0, bytes.length, decode) !== long(number)) expect.unreachable(`${number}`);
    }
  });
});
