// A rejection that the host leaves alone must stay unhandled, and one that it handles must stay handled.
import { init, span, transaction } from '../../dist/index.mjs';

init();
await transaction('handled', () => Promise.reject(new Error('handled'))).catch((error) => console.log(`caught ${error.message}`));
process.on('unhandledRejection', (error) => {
  console.log(`unhandled ${error.message}`);
  process.exitCode = 5;
});
void transaction('left alone', async () => {
  throw new Error('left alone');
});
await transaction('of a step', async () => {
  await span('handled', () => Promise.reject(new Error('handled step'))).catch((error) => console.log(`caught ${error.message}`));
  void span('left alone', async () => {
    throw new Error('left alone step');
  });
});
