import fastify from 'fastify';
import { listenByFastify } from './fastify-app.mjs';

export const listen = (handlers) => listenByFastify(fastify, handlers);
