/** npm start: Hearth from this checkout, set up first if need be. Its environment variables: .env.example. */
import { ensureReady } from './setup.mjs';

await ensureReady();
await import('../apps/server/dist/main.js');
