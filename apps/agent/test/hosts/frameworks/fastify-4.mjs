import fastify from 'fastify-4';
import { listenByFastify } from './fastify-app.mjs';

export const listen = (handlers) => listenByFastify(fastify, handlers);
