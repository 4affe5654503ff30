import type { Request, Response } from 'express';
import { SESSION_MS } from './users.repository.js';

const NAME = 'hearth_session';

export function sessionTokenOf(request: Request): string | undefined {
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const [name, value] = pair.trim().split('=', 2);
    if (name === NAME && value !== undefined && value !== '') return value;
  }
  return undefined;
}

export function setSessionCookie(request: Request, response: Response, token: string): void {
  response.cookie(NAME, token, { ...attributes(request), maxAge: SESSION_MS });
}

export function clearSessionCookie(request: Request, response: Response): void {
  response.clearCookie(NAME, attributes(request));
}

function attributes(request: Request) {
  // Behind a proxy that ends TLS the connection here is plain, and the proxy says so.
  const secure = request.secure || request.headers['x-forwarded-proto'] === 'https';
  return { httpOnly: true, sameSite: 'strict', secure, path: '/' } as const;
}
