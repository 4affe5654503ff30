/** What can be wrong with a file. Each code has a section in docs/errors/profiles.md. */
export type FormatErrorCode =
  | 'FORMAT_EMPTY'
  | 'FORMAT_UNKNOWN'
  | 'FORMAT_UNSUPPORTED'
  | 'FORMAT_GZIP'
  | 'FORMAT_LIMIT'
  | 'FORMAT_VALUE'
  | 'PPROF_PROTOBUF'
  | 'PPROF_STRING'
  | 'PPROF_ID'
  | 'PPROF_SAMPLE_TYPE'
  | 'PPROF_SAMPLE'
  | 'FOLDED_COUNT'
  | 'FOLDED_TWO_COUNTS'
  | 'CPUPROFILE_JSON'
  | 'CPUPROFILE_SHAPE'
  | 'CPUPROFILE_TREE'
  | 'CPUPROFILE_SAMPLES';

/** A file cannot be read. Callers branch on `code`, never on the message. */
export class FormatError extends Error {
  override readonly name = 'FormatError';
  readonly code: FormatErrorCode;

  constructor(code: FormatErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
