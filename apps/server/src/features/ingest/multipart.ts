import { Readable } from 'node:stream';
import busboy from 'busboy';
import { HearthError } from '../../platform/http/hearth-error.js';

const MAX_PARTS = 20;

/**
 * The part of that name in a multipart body, whether it was sent as a file or as a field.
 *
 * @throws {HearthError} `MULTIPART_INVALID`, `MULTIPART_PART_MISSING`
 */
export async function multipartPart(body: Uint8Array, contentType: string, name: string): Promise<Uint8Array> {
  const found = await new Promise<Uint8Array | undefined>((resolve, reject) => {
    let part: Uint8Array | undefined;
    try {
      const parser = busboy({
        headers: { 'content-type': contentType },
        limits: { parts: MAX_PARTS, fileSize: body.length, fieldSize: body.length },
      });
      parser.on('file', (partName, file) => {
        const chunks: Buffer[] = [];
        file.on('data', (chunk: Buffer) => {
          if (partName === name) chunks.push(chunk);
        });
        file.once('error', reject); // a body that ends inside the part: without a listener it would end the thread
        file.once('close', () => {
          if (partName === name) part ??= Buffer.concat(chunks);
        });
      });
      parser.on('field', (partName, value) => {
        if (partName === name) part ??= Buffer.from(value);
      });
      parser.once('close', () => {
        resolve(part);
      });
      parser.once('error', reject);
      Readable.from([body]).pipe(parser);
    } catch (error) {
      reject(error as Error);
    }
  }).catch((error: unknown) => {
    throw new HearthError('MULTIPART_INVALID', `the multipart body cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  });
  if (found === undefined) throw new HearthError('MULTIPART_PART_MISSING', `the multipart body has no part "${name}"`);
  return found;
}
