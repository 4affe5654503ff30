// Profiles itself as DevTools does; prints what it saw.
import { Session } from 'node:inspector/promises';
import { burn, pause } from './work.mjs';

function profiledWork() {
  burn(60);
}
const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.start');
profiledWork();
await pause(5);
const { profile } = await session.post('Profiler.stop');
await session.post('Debugger.enable');
session.disconnect();
console.log(`saw its work: ${profile.nodes.some(({ callFrame }) => callFrame.functionName === 'profiledWork')}`);
