import { FastifyAdapter } from '@nestjs/platform-fastify';
import { listenByNest } from './nest-app.mjs';

export const listen = (handlers) => listenByNest(new FastifyAdapter(), handlers);
