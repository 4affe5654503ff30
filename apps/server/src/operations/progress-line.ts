import type { WriteStream } from 'node:tty';

/** On a terminal one line that changes; elsewhere a line now and then, so that a log stays short. */
const TERMINAL_EVERY_MS = 100;
const LOG_EVERY_MS = 10_000;

/** Says on standard error how far a command is. */
export class ProgressLine {
  readonly #stream: Pick<WriteStream, 'write' | 'isTTY'>;
  #saidMs = 0;
  #hasLine = false;

  constructor(stream: Pick<WriteStream, 'write' | 'isTTY'>) {
    this.#stream = stream;
  }

  /** May be called at any rate; what comes too soon is left out. */
  update(text: string): void {
    const nowMs = Date.now();
    if (nowMs - this.#saidMs < (this.#stream.isTTY ? TERMINAL_EVERY_MS : LOG_EVERY_MS)) return;
    this.#saidMs = nowMs;
    this.#say(text);
  }

  /** A line that stays. */
  line(text: string): void {
    this.#say(text);
    if (this.#hasLine) this.#stream.write('\n');
    this.#hasLine = false;
  }

  #say(text: string): void {
    if (!this.#stream.isTTY) {
      this.#stream.write(`${text}\n`);
      return;
    }
    this.#stream.write(`\r\x1b[2K${text}`);
    this.#hasLine = true;
  }
}
