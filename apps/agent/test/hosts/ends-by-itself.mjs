// Ends when its work ends; nothing in it knows of the agent. The exit code is its own.
import { burn, pause } from './work.mjs';

function ownWork() {
  burn(150);
}
ownWork();
await pause(20);
process.exitCode = Number(process.argv[2] ?? 7);
