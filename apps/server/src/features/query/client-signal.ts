import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Response } from 'express';

/** Aborted when the client leaves before its answer is written: `@ClientSignal() signal: AbortSignal`. */
export const ClientSignal = createParamDecorator((_: unknown, context: ExecutionContext): AbortSignal => {
  const response = context.switchToHttp().getResponse<Response>();
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  // It may have left while its key was looked up.
  if (response.closed || response.socket === null || response.socket.destroyed) controller.abort();
  return controller.signal;
});
