import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import { HearthError } from '../../platform/http/index.js';
import { ApiKeys, type ApiKeyKind } from './api-keys.repository.js';
import { PERMISSION, type AuthorisedRequest, type Caller, type Permission } from './authorised.js';
import { Projects } from './projects.repository.js';
import { sessionTokenOf } from './session-cookie.js';
import { Users, type User } from './users.repository.js';

/** On every route: finds out who calls and whether they may. Fails closed: a route that says nothing is refused. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    readonly reflector: Reflector,
    readonly apiKeys: ApiKeys,
    readonly users: Users,
    readonly projects: Projects,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const permission = this.reflector.getAllAndOverride<Permission | undefined>(PERMISSION, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (permission === 'public') return true;
    const request = context.switchToHttp().getRequest<AuthorisedRequest>();
    if (permission === undefined)
      throw new HearthError('FORBIDDEN', `${request.method} ${request.path} is open to nobody`, { status: 403 });

    const key = keyShownBy(request);
    if (key !== undefined) {
      const apiKey = await this.apiKeys.recognise(key);
      if (apiKey === undefined)
        throw new HearthError(
          'API_KEY_UNKNOWN',
          'nobody has this API key: make one on the Install page of the dashboard, or by POST /api/v1/api-keys',
          { status: 401 },
        );
      return admit(request, permission, keyMay(apiKey.kind, permission), { keyKind: apiKey.kind }, apiKey.projectId);
    }

    const token = sessionTokenOf(request);
    const user = token === undefined ? undefined : await this.users.userOfSession(token);
    if (user === undefined) {
      throw new HearthError(
        'UNAUTHENTICATED',
        'send an API key (Authorization: Bearer <key>, or Basic with the key as password), or sign in',
        { status: 401 },
      );
    }
    assertSameOrigin(request);
    return admit(request, permission, userMay(user, permission), { user }, await this.#projectNamedBy(request));
  }

  async #projectNamedBy(request: Request): Promise<number> {
    const named = request.query['project'];
    if (named === undefined) {
      const [first] = await this.projects.list();
      if (first === undefined) throw new HearthError('PROJECT_UNKNOWN', 'there is no project', { status: 404 });
      return first.id;
    }
    const project = typeof named === 'string' && /^\d{1,15}$/.test(named) ? await this.projects.find(Number(named)) : null;
    if (project === null)
      throw new HearthError('PROJECT_UNKNOWN', 'there is no project of this id: GET /api/v1/projects lists them', {
        status: 404,
      });
    return project.id;
  }
}

function admit(request: AuthorisedRequest, permission: Permission, may: boolean, caller: Caller, projectId: number): true {
  if (!may)
    throw new HearthError('FORBIDDEN', `${request.method} ${request.path} needs ${permission} permission`, { status: 403 });
  request.projectId = projectId;
  request.caller = caller;
  return true;
}

function keyMay(kind: ApiKeyKind, permission: Permission): boolean {
  return kind === 'admin' || kind === permission;
}

function userMay(user: User, permission: Permission): boolean {
  return user.role === 'admin' || permission === 'read';
}

/** Bearer, or the password of Basic, which is what Pyroscope clients send; a user name without password counts too. */
function keyShownBy(request: Request): string | undefined {
  const [scheme = '', value = ''] = (request.headers.authorization ?? '').split(/ +/, 2);
  if (/^bearer$/i.test(scheme)) return value;
  if (!/^basic$/i.test(scheme)) return undefined;
  const pair = Buffer.from(value, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return pair.slice(colon + 1) || pair.slice(0, colon === -1 ? undefined : colon);
}

/**
 * A browser sends the session's cookie wherever a page asks it to; SameSite=Strict stops that between sites, and this between
 * ports and neighbours of one site. Programs send neither header and cannot be tricked.
 */
function assertSameOrigin(request: Request): void {
  if (request.method === 'GET' || request.method === 'HEAD') return;
  const site = request.headers['sec-fetch-site'];
  const origin = request.headers.origin;
  const isForeign =
    site !== undefined
      ? site !== 'same-origin' && site !== 'none'
      : origin !== undefined && hostOf(origin) !== request.headers.host;
  if (isForeign)
    throw new HearthError('ORIGIN_FOREIGN', 'a page of another origin may not act with this session', { status: 403 });
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
