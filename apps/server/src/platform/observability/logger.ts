import type { LoggerService } from '@nestjs/common';
import { pino, type Logger } from 'pino';

/** For injection: `@Inject(LOGGER) logger: Logger`. */
export const LOGGER = Symbol('LOGGER');

/** JSON lines on standard output. */
export function createLogger(level: string): Logger {
  return pino({ level, base: null, redact: ['req.headers.authorization', 'req.headers.cookie'] });
}

/** Nest's own messages, in our log; its start-up chatter only at `debug`. */
export function nestLogger(logger: Logger): LoggerService {
  const write =
    (level: 'debug' | 'warn' | 'error') =>
    (message: unknown, ...details: unknown[]) => {
      logger[level]({ context: details.at(-1) }, message instanceof Error ? (message.stack ?? message.message) : String(message));
    };
  return {
    log: write('debug'),
    debug: write('debug'),
    verbose: write('debug'),
    warn: write('warn'),
    error: write('error'),
    fatal: write('error'),
  };
}
