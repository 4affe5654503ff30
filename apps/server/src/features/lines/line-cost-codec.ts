import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { MAX_LINE, type LineCosts } from '@hearth/profile-model';
import { ColumnReader, ColumnWriter } from '@hearth/wire-format';
import { HearthError } from '../../platform/http/index.js';

/**
 * How the lines of one profile are stored, sorted by file, then line. The codec byte is the version of the format: another layout takes another number.
 *
 *     codec u8 = 1 | deflated:
 *       packages, files   texts each
 *       file row          n | n deltas
 *       line              n | n deltas
 *       self              n | n values
 *       total - self      n | n values
 *       samples           n | n values
 */
const CODEC_DEFLATE = 1;
/** Inflated: more than ingest lets through. */
const MAX_BYTES = 64 * 1024 * 1024;

/** @param scale Multiplies every value: the period in milliseconds for levels, 1 for flows. */
export function encodeLineCosts({ files, fileRow, line, self, total, samples }: LineCosts, scale: number): Uint8Array {
  const order = Uint32Array.from(line.keys()).sort((a, b) => fileRow[a]! - fileRow[b]! || line[a]! - line[b]!);
  const inOrder = (of: (row: number) => number) => Float64Array.from(order, of);
  const writer = new ColumnWriter();
  writer.texts(files.package);
  writer.texts(files.file);
  writer.deltaColumn(inOrder((row) => fileRow[row]!));
  writer.deltaColumn(inOrder((row) => line[row]!));
  writer.column(inOrder((row) => self[row]! * scale));
  writer.column(inOrder((row) => (total[row]! - self[row]!) * scale));
  writer.column(inOrder((row) => samples[row]!));
  return Buffer.concat([Uint8Array.of(CODEC_DEFLATE), deflateRawSync(writer.finish())]);
}

/** @throws {HearthError} `LINES_DAMAGED` */
export function decodeLineCosts(data: Uint8Array): LineCosts {
  if (data[0] !== CODEC_DEFLATE) throw damaged(`lines of codec ${data[0]}: damaged, or written by a newer server`);
  try {
    const reader = new ColumnReader(inflateRawSync(data.subarray(1), { maxOutputLength: MAX_BYTES }));
    const packages = readTexts(reader);
    const file = readTexts(reader);
    const fileRow = Uint32Array.from(reader.deltaRowColumn(file.length));
    const line = Uint32Array.from(reader.deltaRowColumn(MAX_LINE + 1));
    const self = reader.column();
    const total = reader.column().map((below, row) => self[row]! + below);
    const samples = reader.column();
    if (packages.length !== file.length || [line, self, total, samples].some(({ length }) => length !== fileRow.length))
      throw new Error('columns of different lengths');
    return { files: { package: packages, file }, fileRow, line, self, total, samples };
  } catch (error) {
    throw damaged(`lines of ${data.length} bytes cannot be read: ${(error as Error).message}`, error);
  }
}

function readTexts(reader: ColumnReader): string[] {
  return Array.from({ length: reader.count() }, () => reader.text());
}

function damaged(message: string, cause?: unknown): HearthError {
  return new HearthError('LINES_DAMAGED', message, { status: 500, cause });
}
