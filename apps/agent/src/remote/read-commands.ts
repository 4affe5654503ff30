import type { DurationMs } from '@hearth/profile-model';

interface AnyCommand {
  /** The same at every offer of one command. */
  readonly id: string;
  readonly durationMs: DurationMs;
}

export interface RecordLines extends AnyCommand {
  readonly kind: 'record-lines';
}

export interface RaiseRate extends AnyCommand {
  readonly kind: 'raise-rate';
}

/** Both lists empty: functions of the host's own files. */
export interface CountCalls extends AnyCommand {
  readonly kind: 'count-calls';
  /** Names, whole, or their beginning and a `*`. */
  readonly functions: readonly string[];
  /** Parts of the names of scripts. */
  readonly files: readonly string[];
}

/** What a server may ask of an agent: this and nothing else. */
export type Command = RecordLines | RaiseRate | CountCalls;

/** What a command may take of the host's time, whatever the server says. */
export const MAX_COMMAND_MS = 60_000;
const MIN_COMMAND_MS = 1_000;
/** Of one answer; what else it holds is not looked at. */
const MAX_COMMANDS = 8;
const MAX_ID_LENGTH = 100;
/** Functions, and as many files, that one command may name; and the characters of each. */
const MAX_NAMED = 20;
const MAX_NAME_LENGTH = 200;

/** The commands for this process in the body of an answer, as it came; what is no command is left out. Never throws. */
export function readCommands(body: unknown, processId: string): Command[] {
  const offered = (body as { readonly commands?: unknown } | null | undefined)?.commands;
  if (!Array.isArray(offered)) return [];
  return offered.slice(0, MAX_COMMANDS).flatMap((one) => readCommand(one, processId) ?? []);
}

function readCommand(offered: unknown, processId: string): Command | undefined {
  if (typeof offered !== 'object' || offered === null) return undefined;
  const { id, kind, process, durationMs, functions, files } = offered as Readonly<Record<string, unknown>>;
  // Named for one process: an answer that was meant for another, as of a confused proxy, orders nothing here.
  if (process !== processId) return undefined;
  if (typeof id !== 'string' || id === '' || id.length > MAX_ID_LENGTH) return undefined;
  if (typeof durationMs !== 'number' || !(durationMs >= MIN_COMMAND_MS)) return undefined;
  const bounded = { id, durationMs: Math.min(durationMs, MAX_COMMAND_MS) };
  if (kind === 'record-lines' || kind === 'raise-rate') return { ...bounded, kind };
  if (kind !== 'count-calls' || !areNames(functions) || !areNames(files)) return undefined;
  return { ...bounded, kind, functions, files };
}

function areNames(list: unknown): list is readonly string[] {
  return (
    Array.isArray(list) &&
    list.length <= MAX_NAMED &&
    list.every((name) => typeof name === 'string' && name !== '' && name.length <= MAX_NAME_LENGTH)
  );
}
