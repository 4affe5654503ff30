import { createRequire } from 'node:module';
import * as esm from '../../dist/index.mjs';
import { burn } from './work.mjs';

const cjs = createRequire(import.meta.url)('../../dist/index.cjs');
esm.init();
cjs.init();
esm.transaction('outer', () => {
  cjs.tag({ from: 'cjs' });
  burn(60);
});
cjs.transaction('second', () => {
  esm.tag({ from: 'esm' });
  burn(60);
});
await cjs.stop();
