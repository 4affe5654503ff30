import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { FunctionKey } from '@hearth/profile-model';
import { ColumnReader, ColumnWriter } from '@hearth/wire-format';
import { MAX_FUNCTIONS, MAX_STACKS, type StackPage } from './stack-dictionary.js';
import { StackError } from './stack-error.js';

/**
 * How a page is stored. The codec byte is the version of the format: another layout takes another number.
 *
 *     codec u8 = 1 | deflated:
 *       functions       bytes as varint | JSON [[name, package, file], ...]   JSON keeps any string, lone surrogates and NUL too
 *       first function  varint
 *       first stack     varint
 *       parent          n | n deltas
 *       function row    n | n deltas
 */
const CODEC_DEFLATE = 1;
/** Inflated. */
export const MAX_PAGE_BYTES = 256 * 1024 * 1024;
const LIMITS = { maxRows: MAX_STACKS, maxTextBytes: 0 };

/** @throws {StackError} `STACK_DICTIONARY_FULL` for a page that nobody could inflate again */
export function encodeStackPage(page: StackPage, maxBytes = MAX_PAGE_BYTES): Uint8Array {
  // Before there is one text of them all, which Node itself would refuse.
  assertPageBytes(
    page.functions.reduce((sum, key) => sum + key.name.length + key.package.length + key.file.length, 0),
    maxBytes,
  );
  const writer = new ColumnWriter();
  writer.bytes(Buffer.from(JSON.stringify(page.functions.map((key) => [key.name, key.package, key.file]))));
  writer.varint(page.firstFunction);
  writer.varint(page.firstStack);
  writer.deltaColumn(page.parent);
  writer.deltaColumn(page.functionRow);
  assertPageBytes(writer.length, maxBytes);
  return Buffer.concat([Uint8Array.of(CODEC_DEFLATE), deflateRawSync(writer.finish())]);
}

function assertPageBytes(bytes: number, maxBytes: number): void {
  if (bytes > maxBytes) throw new StackError('STACK_DICTIONARY_FULL', `a page of ${bytes} bytes, ${maxBytes} can be read again`);
}

/** @throws {StackError} `STACK_PAGE_CODEC`, `STACK_PAGE_DAMAGED` */
export function decodeStackPage(data: Uint8Array): StackPage {
  if (data[0] !== CODEC_DEFLATE)
    throw new StackError('STACK_PAGE_CODEC', `a page of codec ${data[0]}: damaged, or written by a newer server`);
  try {
    const reader = new ColumnReader(inflateRawSync(data.subarray(1), { maxOutputLength: MAX_PAGE_BYTES }), LIMITS);
    const functions = parseFunctions(Buffer.from(reader.bytes()).toString());
    const firstFunction = reader.varint();
    const firstStack = reader.varint();
    const parent = reader.deltaColumn();
    const functionRow = reader.deltaColumn();
    if (parent.length !== functionRow.length) throw new Error(`${parent.length} parents, ${functionRow.length} functions`);
    return { firstFunction, firstStack, functions, parent, functionRow };
  } catch (error) {
    throw new StackError('STACK_PAGE_DAMAGED', `a stack page cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

function parseFunctions(text: string): FunctionKey[] {
  const rows: unknown = JSON.parse(text);
  if (!Array.isArray(rows) || rows.length > MAX_FUNCTIONS) throw new Error('functions are no list');
  return rows.map((row: unknown) => {
    if (!Array.isArray(row) || row.length !== 3 || !row.every((part) => typeof part === 'string'))
      throw new Error('a function is not [name, package, file]');
    const [name, packageName, file] = row as [string, string, string];
    return { name, package: packageName, file };
  });
}
