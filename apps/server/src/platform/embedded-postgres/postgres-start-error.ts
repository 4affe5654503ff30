/** The embedded Postgres cannot run here. The message is one line that says what to do about it. */
export class PostgresStartError extends Error {
  override readonly name = 'PostgresStartError';
  readonly code = 'POSTGRES_START';
}
