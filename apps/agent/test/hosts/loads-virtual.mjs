import { burn } from './work.mjs';

const { default: answer } = await import(process.argv[2]);

burn(50);
console.log(`the answer is ${answer}`);
