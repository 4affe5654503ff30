import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Queues } from '../../platform/queue/index.js';

const TIMEOUT_MS = 2_000;

/** Whether this process can do its work now. */
@Injectable()
export class Readiness implements OnModuleDestroy {
  #isStopping = false;

  constructor(
    readonly dataSource: DataSource,
    readonly queues: Queues,
  ) {}

  /** What does not answer; empty when ready. */
  async whatIsMissing(): Promise<string[]> {
    if (this.#isStopping) return ['this server (it is stopping)'];
    const [database, queue] = await Promise.all([answers(this.dataSource.query('SELECT 1')), answers(this.queues.ping())]);
    return [...(database ? [] : ['the database']), ...(queue ? [] : ['the queue'])];
  }

  onModuleDestroy(): void {
    this.#isStopping = true;
  }
}

async function answers(question: Promise<unknown>): Promise<boolean> {
  return Promise.race([
    question.then(
      () => true,
      () => false,
    ),
    sleep(TIMEOUT_MS, false, { ref: false }),
  ]);
}
