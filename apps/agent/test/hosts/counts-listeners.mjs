// As libraries do that must clean up at a signal: if nobody else listens, the signal's default is carried out by hand.
const clean = () => {
  if (process.listeners('SIGTERM').length === 1) {
    process.off('SIGTERM', clean);
    process.kill(process.pid, 'SIGTERM');
  }
};
process.on('SIGTERM', clean);
if (process.argv[2] === 'gone again') process.off('SIGTERM', clean);
if (process.argv[2] === 'once') {
  process.off('SIGTERM', clean);
  process.once('SIGTERM', () => console.log('first'));
}
setInterval(() => {}, 1_000);
setTimeout(() => console.log('ready'), 50);
