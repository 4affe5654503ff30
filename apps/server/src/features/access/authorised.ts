import { createParamDecorator, SetMetadata, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import type { ApiKeyKind } from './api-keys.repository.js';
import type { User } from './users.repository.js';

/** `ingest`: ingest and admin keys. `read`: read and admin keys, every user. `admin`: admin keys and admin users. */
export type Permission = 'ingest' | 'read' | 'admin' | 'public';

export const PERMISSION = 'hearth:permission';

/** Who may call this route or every route of this controller. A route without it is refused to everybody. */
export const Authorised = (permission: Exclude<Permission, 'public'>) => SetMetadata(PERMISSION, permission);

/** Anybody may call it, without a key. */
export const Public = () => SetMetadata(PERMISSION, 'public');

/** Who calls: a key or a signed-in user. */
export type Caller = { readonly keyKind: ApiKeyKind } | { readonly user: User };

/** A request that the guard let through. */
export interface AuthorisedRequest extends Request {
  /** Of the key, or what `?project=` names, or the default project. */
  projectId: number;
  caller: Caller;
}

/** The project that the request is about: `@ProjectId() projectId: number`. */
export const ProjectId = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<AuthorisedRequest>().projectId,
);
