/** Where the command writes: its result to `out`, what it says meanwhile to `err`. */
export interface Terminal {
  readonly out: (text: string) => unknown;
  readonly err: (text: string) => unknown;
  /** A person looks at it: a line may be written over. */
  readonly isInteractive: boolean;
}

export const EXIT = {
  /** Everything is there. */
  done: 0,
  /** Something could not be done: the server was away, or refused it. */
  failed: 1,
  /** Called wrongly: nothing was tried. */
  usage: 2,
  /** There was nothing to do. */
  nothing: 3,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The command cannot go on. The message says what to do next. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}
