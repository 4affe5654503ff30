import { expect, it } from 'vitest';
import { TransactionTracker } from '../transactions/transaction-tracker.js';
import { wireWithoutSampler } from '../transactions/context-wiring.js';
import { createGuard } from '../safety/guard.js';
import { AgentLog } from '../safety/agent-log.js';
import { OwnCost } from '../governor/own-cost.js';
import { followedLibraries } from './follow-waits.js';
import { OperationTable } from './operation-table.js';
import { WaitPacker } from './pack-waits.js';
import { WaitRecorder } from './wait-recorder.js';

it('WaitPacker shows the operations of each library that is followed in its package, and others in Node', () => {
  const tracker = new TransactionTracker(wireWithoutSampler());
  const recorder = new WaitRecorder(tracker, createGuard(new AgentLog()), 1_000, new OwnCost());
  const operations = new OperationTable();
  const packer = new WaitPacker(operations);
  const placeOf = (library: string): string => packer.leafOf(operations.rowOf(library, 'work')).scriptName;
  const names = followedLibraries(recorder).map(({ packageName }) => packageName);
  expect(names.length).toBeGreaterThan(3);
  expect(names.map(placeOf)).toEqual(names.map((name) => `node_modules/${name}`));
  expect(placeOf('fs')).toBe('node:fs');
});
