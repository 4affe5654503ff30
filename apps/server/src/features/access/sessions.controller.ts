import { Controller, Delete, Get, HttpCode, Post, Req, Res, UseGuards } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { ThrottlerGuard } from '@nestjs/throttler';
import { sessionRequestSchema, type SessionAnswer } from '@hearth/query-contract';
import type { Request, Response } from 'express';
import type { z } from 'zod';
import { BodyOf } from '../../platform/http/index.js';
import { Authorised, Public, type AuthorisedRequest } from './authorised.js';
import { clearSessionCookie, sessionTokenOf, setSessionCookie } from './session-cookie.js';
import { SignIn } from './sign-in.js';

@ApiTags('access')
@Controller('api/v1/sessions')
export class SessionsController {
  constructor(readonly sessions: SignIn) {}

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
    const { token, answer } = await this.sessions.begin(body.email, body.password);
    setSessionCookie(request, response, token);
    return answer;
  }

  @Get('current')
  @Authorised('read')
  @ApiOperation({ summary: 'Who is signed in' })
  async current(@Req() request: AuthorisedRequest): Promise<SessionAnswer> {
    return this.sessions.current(request.caller);
  }

  @Delete('current')
  @Authorised('read')
  @HttpCode(204)
  @ApiOperation({ summary: 'Sign out' })
  async signOut(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<void> {
    const token = sessionTokenOf(request);
    if (token !== undefined) await this.sessions.end(token);
    clearSessionCookie(request, response);
  }
}
