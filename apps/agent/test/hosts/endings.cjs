// Works for a moment, then ends in the way its argument names. Knows nothing of the agent.
const { createServer } = require('node:http');
const { runInThisContext } = require('node:vm');

const say = (text) => process.stdout.write(`${text}\n`);
const fail = () => {
  throw new Error('of the host');
};
const endings = {
  'process.exit in a timer': () => setTimeout(() => process.exit(9), 5),
  'process.exit with requests in flight': () => {
    const server = createServer(() => setTimeout(() => process.exit(11), 20));
    server.listen(0, '127.0.0.1', () => {
      for (let at = 0; at < 5; at += 1) fetch(`http://127.0.0.1:${server.address().port}/`).catch(() => {});
    });
  },
  'process.exit in beforeExit': () => process.once('beforeExit', () => process.exit(12)),
  'work in beforeExit': () => process.once('beforeExit', (code) => setTimeout(() => say(`more work after ${code}`), 10)),
  'exit code set in exit': () => {
    process.on('exit', (code) => {
      say(`exit ${code}`);
      process.exitCode = 13;
    });
  },
  'throws in exit': () => process.on('exit', fail),
  'throws in a timer': () => setTimeout(fail, 5),
  'throws what is no error': () => setTimeout(() => runInThisContext('throw null'), 5),
  rejects: () => void Promise.reject(new Error('left alone')),
  'rejects, handled late': () => {
    const rejected = Promise.reject(new Error('late'));
    process.on('unhandledRejection', (error) => say(`unhandled ${error.message}`));
    process.on('rejectionHandled', () => say('handled after all'));
    setTimeout(() => rejected.catch(() => {}), 10);
  },
  'survives by uncaughtException': () => {
    process.on('uncaughtException', (error, origin) => say(`caught ${error.message} ${origin}`));
    setTimeout(fail, 5);
    setTimeout(() => process.exit(14), 30);
  },
  'watched by a monitor': () => {
    process.on('uncaughtExceptionMonitor', (error) => say(`seen ${error.message}`));
    setTimeout(fail, 5);
  },
  'has a capture callback': () => {
    process.setUncaughtExceptionCaptureCallback((error) => say(`captured ${error.message}`));
    setTimeout(fail, 5);
  },
  'works in domains': () => {
    const domain = require('node:domain').create();
    domain.on('error', (error) => say(`domain ${error.message}`));
    domain.run(() => {
      setTimeout(fail, 5);
      void Promise.resolve().then(() => say(`still in it ${process.domain === domain}`));
    });
  },
  aborts: () => setTimeout(() => process.abort(), 5),
  'kills itself': () => setTimeout(() => process.kill(process.pid, 'SIGKILL'), 5),
  'ends by SIGINT': () => {
    process.kill(process.pid, 'SIGINT');
    setTimeout(() => {}, 5_000);
  },
  'ends by SIGHUP': () => {
    process.kill(process.pid, 'SIGHUP');
    setTimeout(() => {}, 5_000);
  },
  'a SIGINT handler': () => {
    const held = setInterval(() => {}, 1_000);
    process.once('SIGINT', (signal, number) => {
      say(`${signal} ${number}`);
      clearInterval(held);
      process.exitCode = 15;
    });
    process.kill(process.pid, 'SIGINT');
  },
  'a SIGTERM handler that exits': () => {
    setInterval(() => {}, 1_000);
    process.on('SIGTERM', (signal, number) => {
      say(`${signal} ${number}`);
      process.exit(16);
    });
    process.kill(process.pid, 'SIGTERM');
  },
  'a closed standard output': () => {
    process.stdout.destroy();
    process.exitCode = 17;
  },
};

for (const endAt = performance.now() + 25; performance.now() < endAt;);
say('worked');
endings[process.argv[2]]();
