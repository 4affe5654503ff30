import { Controller, Delete, Get, HttpCode, Post, Req, Res, UseGuards } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { ThrottlerGuard } from '@nestjs/throttler';
import { sessionRequestSchema, type SessionAnswer } from '@hearth/query-contract';
import type { Request, Response } from 'express';
import type { z } from 'zod';
import { BodyOf, HearthError } from '../../platform/http/index.js';
import { Authorised, Public, type AuthorisedRequest } from './authorised.js';
import { Projects } from './projects.repository.js';
import { clearSessionCookie, sessionTokenOf, setSessionCookie } from './session-cookie.js';
import { Users, type User } from './users.repository.js';

@ApiTags('access')
@Controller('api/v1/sessions')
export class SessionsController {
  constructor(
    readonly users: Users,
    readonly projects: Projects,
  ) {}

  @Post()
  @Public()
  @UseGuards(ThrottlerGuard)
  @HttpCode(200)
  @ApiOperation({ summary: 'Sign in: answers with a session cookie' })
  async signIn(
    @BodyOf(sessionRequestSchema) body: z.output<typeof sessionRequestSchema>,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<SessionAnswer> {
    const user = await this.users.withPassword(body.email, body.password);
    if (user === undefined) throw new HearthError('SIGN_IN_REFUSED', 'no user with this address and password', { status: 401 });
    setSessionCookie(request, response, await this.users.startSession(user));
    return this.#answer(user);
  }

  @Get('current')
  @Authorised('read')
  @ApiOperation({ summary: 'Who is signed in' })
  async current(@Req() request: AuthorisedRequest): Promise<SessionAnswer> {
    if (!('user' in request.caller)) throw new HearthError('UNAUTHENTICATED', 'a key has no session: sign in', { status: 401 });
    return this.#answer(request.caller.user);
  }

  @Delete('current')
  @Authorised('read')
  @HttpCode(204)
  @ApiOperation({ summary: 'Sign out' })
  async signOut(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<void> {
    const token = sessionTokenOf(request);
    if (token !== undefined) await this.users.endSession(token);
    clearSessionCookie(request, response);
  }

  async #answer({ email, role }: User): Promise<SessionAnswer> {
    const projects = await this.projects.list();
    return { user: { email, role }, projects: projects.map(({ id, name }) => ({ id: String(id), name })) };
  }
}
