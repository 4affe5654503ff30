import { expect } from 'vitest';
import { PRELOAD, runHost, type HostOptions, type HostResult } from './run-host.js';

/** What of a host the outside can see. */
export interface SeenOfHost {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  /** Standard error without the agent's own lines, and without the frames between Node and the host. */
  readonly errors: string;
}

/** Runs the host without the agent and with it, and expects no difference. @returns The run with the agent. */
export async function expectNoDifference(name: string, hearthUrl: string, options: HostOptions = {}): Promise<HostResult> {
  const nodeOptions = options.nodeOptions ?? [];
  const alone = await runHost(name, hearthUrl, options);
  const profiled = await runHost(name, hearthUrl, { ...options, nodeOptions: [...nodeOptions, ...PRELOAD] });
  expect(seen(profiled)).toEqual(seen(alone));
  expect(profiled.errors).not.toContain('[AGENT_FAULT]');
  return profiled;
}

/** The codes of the agent's lines. */
export function saidBy({ errors }: HostResult): string[] {
  return [...errors.matchAll(/^\[hearth\] .*\[(\w+)\]$/gm)].map(([, code]) => code!);
}

/** Addresses in the binary, as Node prints them when it aborts. */
const NATIVE = /^ *\d+: 0x/;
/** Frames of Node, and of the agent where it stands between Node and the host: a preloaded program is begun by another way. */
const BETWEEN = /^ {4}at .*(?:node:|apps\/agent\/dist\/)/;

function seen({ code, signal, output, errors }: HostResult): SeenOfHost {
  const theirs = errors.split('\n').filter((line) => !line.startsWith('[hearth] ') && !BETWEEN.test(line) && !NATIVE.test(line));
  const text = theirs.join('\n').replaceAll(/\(node:\d+\)/g, '(node)');
  return { code, signal, output, errors: text.replace(/ws:\S+/, 'ws:') };
}
