import { ExpressAdapter } from '@nestjs/platform-express';
import { listenByNest } from './nest-app.mjs';

export const listen = (handlers) => listenByNest(new ExpressAdapter(), handlers);
