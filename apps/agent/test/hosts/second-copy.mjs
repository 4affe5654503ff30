// Uses two copies of the agent in one process, as a monorepo may install them. argv: the other one, by its path
import { init, transaction } from '../../dist/index.mjs';
import { burn } from './work.mjs';

const other = await import(process.argv[2]);
init();
other.init();
transaction('first', () => other.transaction('second', () => burn(40)));
console.log(`another copy ${other.transaction !== transaction}`);
await other.stop();
