import { afterEach, expect, it, vi } from 'vitest';
import { AgentLog } from './agent-log.js';

afterEach(() => void vi.restoreAllMocks());

it('AgentLog says a thing once a minute, then how often it was swallowed; and never throws', () => {
  let nowMs = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  const lines: string[] = [];
  const log = new AgentLog();
  log.useLogger({ info: (line) => lines.push(line), warn: (line) => lines.push(line) });
  log.warn('AGENT_FAULT', 'first');
  log.warn('AGENT_NO_KEY', 'other');
  nowMs = 59_999;
  log.warn('AGENT_FAULT', 'swallowed');
  nowMs = 60_000;
  log.warn('AGENT_FAULT', 'again');
  expect(lines).toEqual([
    '[hearth] first [AGENT_FAULT]',
    '[hearth] other [AGENT_NO_KEY]',
    '[hearth] again (and 1 times more) [AGENT_FAULT]',
  ]);
  log.useLogger({
    info: () => {
      throw new Error('of the host');
    },
    warn: () => {
      throw new Error('of the host');
    },
  });
  nowMs = 200_000;
  expect(() => log.warn('AGENT_FAULT', 'x')).not.toThrow();
});
