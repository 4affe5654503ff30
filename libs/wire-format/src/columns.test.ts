import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ColumnReader } from './column-reader.js';
import { ColumnWriter } from './column-writer.js';

const written = (write: (writer: ColumnWriter) => void): Uint8Array => {
  const writer = new ColumnWriter();
  write(writer);
  return writer.finish();
};
const code = (expected: string): Error => expect.objectContaining({ code: expected }) as Error;
const signedNumbers = fc.integer({ min: -(2 ** 52) + 1, max: 2 ** 52 - 1 });

describe('ColumnReader', () => {
  it('reads every number that ColumnWriter writes', () => {
    fc.assert(
      fc.property(fc.array(fc.maxSafeNat()), fc.array(signedNumbers), fc.double(), (whole, signed, double) => {
        const bytes = written((writer) => {
          writer.column(whole);
          writer.signedColumn(signed);
          writer.float64(double);
        });
        const reader = new ColumnReader(bytes);
        expect([...reader.column()]).toEqual(whole);
        expect([...reader.signedColumn()]).toEqual(signed);
        expect(reader.float64()).toBe(double);
        expect(reader.bytesLeft).toBe(0);
      }),
    );
  });
  it('reads deltas back exactly, up to their largest step', () => {
    const largest = 2 ** 52 - 1;
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1, max: largest - 1 })), (values) => {
        expect([...new ColumnReader(written((writer) => writer.deltaColumn(values))).deltaColumn()]).toEqual(values);
      }),
    );
    expect(() => written((writer) => writer.deltaColumn([0, largest, -1]))).toThrowError(code('WIRE_VALUE'));
  });
  it('reads texts of any characters, NUL and lone surrogates in a form that can be stored', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (texts) => {
        const reader = new ColumnReader(written((writer) => writer.texts(texts)));
        const read = Array.from({ length: reader.count() }, () => reader.text());
        expect(read).toEqual(texts.map((text) => text.replaceAll('\0', '\u2400')));
      }),
    );
    expect(new ColumnReader(written((writer) => writer.text('\uFEFFa\0\uD800'))).text()).toBe('\uFEFFa\u2400\uFFFD');
    expect(new ColumnReader(Uint8Array.of(2, 0x61, 0xff)).text()).toBe('a\uFFFD');
  });

  it('reads 2^53 - 1 and refuses 2^53', () => {
    expect(new ColumnReader(Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 15)).varint()).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => new ColumnReader(Uint8Array.of(128, 128, 128, 128, 128, 128, 128, 16)).varint()).toThrowError(
      code('WIRE_VARINT'),
    );
    expect(() => new ColumnReader(new Uint8Array(9).fill(128)).varint()).toThrowError(code('WIRE_VARINT'));
  });
  it('refuses what ends within a number or a text', () => {
    expect(() => new ColumnReader(Uint8Array.of(128)).varint()).toThrowError(code('WIRE_TRUNCATED'));
    expect(() => new ColumnReader(Uint8Array.of(2, 0x61)).text()).toThrowError(code('WIRE_TRUNCATED'));
    expect(() => new ColumnReader(new Uint8Array(7)).float64()).toThrowError(code('WIRE_TRUNCATED'));
  });
  it('refuses a count that the bytes left cannot hold, before it allocates', () => {
    expect([...new ColumnReader(Uint8Array.of(2, 7, 8)).column()]).toEqual([7, 8]);
    expect(() => new ColumnReader(Uint8Array.of(3, 7, 8)).column()).toThrowError(code('WIRE_COUNT'));
    expect(() => new ColumnReader(Uint8Array.of(255, 255, 255, 255, 15)).column()).toThrowError(code('WIRE_COUNT'));
  });
  it('keeps its limits to the row and to the byte', () => {
    const limits = { maxRows: 2, maxTextBytes: 2 };
    expect([...new ColumnReader(Uint8Array.of(2, 1, 1), limits).column()]).toEqual([1, 1]);
    expect(() => new ColumnReader(Uint8Array.of(3, 1, 1, 1), limits).column()).toThrowError(code('WIRE_COUNT'));
    expect(new ColumnReader(Uint8Array.of(2, 0x61, 0x61), limits).text()).toBe('aa');
    expect(() => new ColumnReader(Uint8Array.of(3, 0x61, 0x61, 0x61), limits).text()).toThrowError(code('WIRE_STRING'));
  });
  it('refuses rows that are not in their table', () => {
    expect([...new ColumnReader(Uint8Array.of(1, 1)).rowColumn(2)]).toEqual([1]);
    expect(() => new ColumnReader(Uint8Array.of(1, 2)).rowColumn(2)).toThrowError(code('WIRE_ROW'));
    expect([...new ColumnReader(Uint8Array.of(1, 1)).deltaRowColumn(2, -1)]).toEqual([-1]);
    expect(() => new ColumnReader(Uint8Array.of(1, 1)).deltaRowColumn(2)).toThrowError(code('WIRE_ROW'));
  });
});

describe('ColumnWriter', () => {
  it.each([-1, 0.5, Number.NaN, 2 ** 53, Infinity])('refuses %d as a whole number', (value) => {
    expect(() => written((writer) => writer.varint(value))).toThrowError(code('WIRE_VALUE'));
  });
  it('writes small changes of either sign in one byte', () => {
    expect([...written((writer) => writer.deltaColumn([5, 4, 4, 68]))]).toEqual([4, 10, 1, 0, 128, 1]);
  });
});
