import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { defineJob } from './define-job.js';
import { JobRunner } from './job-runner.js';
import { Queues } from './queues.js';

const a = defineJob<null>({ name: 'a', parse: () => null, id: () => 'a', attempts: 1 });
const b = defineJob<null>({ name: 'b', parse: () => null, id: () => 'b', attempts: 1 });

function runnerWith(...jobs: (typeof a)[]) {
  const started: string[] = [];
  class RecordedQueues extends Queues {
    override work(name: string): void {
      started.push(name);
    }
  }
  const nowhere = { backend: 'postgres', url: 'postgres://127.0.0.1:1/none' } as const; // no queue is opened
  const runner = new JobRunner(new RecordedQueues(nowhere, pino({ level: 'silent' })));
  for (const job of jobs) runner.handle(job, async () => undefined);
  return { runner, started };
}

describe('JobRunner', () => {
  it('starts when every job has exactly one handler', () => {
    const { runner, started } = runnerWith(a, b);
    runner.start([a, b]);
    expect(started).toEqual(['a', 'b']);
  });

  it('refuses to start without a handler, or with one for a job that nobody lists', () => {
    expect(() => {
      runnerWith(a).runner.start([a, b]);
    }).toThrow('no handler for job b');
    expect(() => {
      runnerWith(a, b).runner.start([a]);
    }).toThrow('handler for b');
  });

  it('refuses a second handler', () => {
    expect(() => runnerWith(a, a)).toThrow('two handlers');
  });
});
