/** Something the person at the keyboard has to change. The message says it in one line, and what to do. */
export class SetupError extends Error {
  name = 'SetupError';

  /** @param {string} message @param {string} [code] - For those who know a way out. */
  constructor(message, code) {
    super(message);
    this.code = code;
  }
}
