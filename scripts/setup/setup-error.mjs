/** Something the person at the keyboard has to change. The message says it in one line, and what to do. */
export class SetupError extends Error {
  name = 'SetupError';
}
