/**
 * Preloaded into every process of the demo: when the demo is gone, however it ended, so are they. The channel to the
 * parent closes with the parent; each process then ends as it would on SIGTERM, so that Postgres is stopped in order.
 */
const PATIENCE_MS = 20_000;

process.once('disconnect', () => {
  process.kill(process.pid, 'SIGTERM');
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), PATIENCE_MS).unref();
});
// Listening keeps the channel, and with it the process, alive; whoever else listens will hold it again.
process.channel?.unref();
