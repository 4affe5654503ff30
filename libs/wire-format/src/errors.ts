/** What can be wrong with bytes that a stranger sent. Each code has a section in docs/errors/profiles.md. */
export type WireErrorCode =
  | 'WIRE_MAGIC'
  | 'WIRE_VERSION'
  | 'WIRE_LENGTH'
  | 'WIRE_TRUNCATED'
  | 'WIRE_VARINT'
  | 'WIRE_COUNT'
  | 'WIRE_SIZE'
  | 'WIRE_STRING'
  | 'WIRE_VALUE'
  | 'WIRE_ROW';

/** Bytes cannot be read, or a value cannot be written. Callers branch on `code`, never on the message. */
export class WireError extends Error {
  override readonly name = 'WireError';
  readonly code: WireErrorCode;

  constructor(code: WireErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
