// Requests one address: for some seconds over many connections, as much as it takes, and from then on fifty times a second, whether answers come or not.
// Arguments: the address, how many milliseconds of the first.
import { Agent, get } from 'node:http';

const [address, burstMs] = process.argv.slice(2);
const CONNECTIONS = 40;
const agent = new Agent({ keepAlive: true });
let sent = 0;
function ask(answered) {
  sent += 1;
  get(`${address}${sent % 100}`, { agent }, (response) => response.resume().once('end', answered)).once('error', () =>
    process.exit(),
  );
}
const burstUntil = performance.now() + Number(burstMs);
const next = () => performance.now() < burstUntil && ask(next);
for (let at = 0; at < CONNECTIONS; at += 1) next();
setTimeout(() => setInterval(() => ask(() => {}), 20), Number(burstMs));
