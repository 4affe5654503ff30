// As libraries do that must clean up at a signal: if nobody else listens, the signal's default is carried out by hand.
const signal = process.argv[3] ?? 'SIGTERM';
const clean = () => {
  if (process.listeners(signal).length === 1) {
    process.off(signal, clean);
    process.kill(process.pid, signal);
  }
};
process.on(signal, clean);
if (process.argv[2] === 'gone again') process.off(signal, clean);
if (process.argv[2] === 'once') {
  process.off(signal, clean);
  process.once(signal, () => console.log('first'));
}
setInterval(() => {}, 1_000);
setTimeout(() => console.log('ready'), 50);
