// Requests one address over a few connections for as long as it lives.
import { Agent, get } from 'node:http';

const agent = new Agent({ keepAlive: true, maxSockets: 8 });
let sent = 0;
function next() {
  sent += 1;
  get(`${process.argv[2]}${sent % 100}`, { agent }, (response) => response.resume().once('end', next)).once('error', () =>
    process.exit(),
  );
}
for (let at = 0; at < 8; at += 1) next();
process.once('disconnect', () => process.exit());
