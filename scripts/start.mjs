/** npm start: Hearth from this checkout, set up first if need be. Its environment variables, also from a file `.env`: .env.example. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { root } from './root.mjs';
import { ensureReady } from './setup.mjs';

const envFile = path.join(root, '.env');
// What is set already wins.
if (existsSync(envFile)) process.loadEnvFile(envFile);

await ensureReady();
await import('../apps/server/dist/main.js');
