import { burn } from './work.mjs';

burn(30);
if (process.argv[2] === 'rejects') void Promise.reject(new Error('nobody listens'));
else
  setTimeout(() => {
    throw new Error('of the host');
  }, 10);
setTimeout(() => {}, 5_000);
