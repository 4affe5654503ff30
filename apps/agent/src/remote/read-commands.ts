import type { DurationMs } from '@hearth/profile-model';

/** What a server may ask of an agent: this and nothing else. */
export interface Command {
  /** The same at every offer of one command. */
  readonly id: string;
  readonly kind: 'record-lines';
  readonly durationMs: DurationMs;
}

/** What a command may take of the host's time, whatever the server says. */
export const MAX_COMMAND_MS = 60_000;
const MIN_COMMAND_MS = 1_000;
/** Of one answer; what else it holds is not looked at. */
const MAX_COMMANDS = 8;
const MAX_ID_LENGTH = 100;

/** The commands for this process in the body of an answer, as it came; what is no command is left out. Never throws. */
export function readCommands(body: unknown, processId: string): Command[] {
  const offered = (body as { readonly commands?: unknown } | null | undefined)?.commands;
  if (!Array.isArray(offered)) return [];
  return offered.slice(0, MAX_COMMANDS).flatMap((one) => readCommand(one, processId) ?? []);
}

function readCommand(offered: unknown, processId: string): Command | undefined {
  if (typeof offered !== 'object' || offered === null) return undefined;
  const { id, kind, process, durationMs } = offered as Readonly<Record<string, unknown>>;
  // Named for one process: an answer that was meant for another, as of a confused proxy, orders nothing here.
  if (process !== processId || kind !== 'record-lines') return undefined;
  if (typeof id !== 'string' || id === '' || id.length > MAX_ID_LENGTH) return undefined;
  if (typeof durationMs !== 'number' || !(durationMs >= MIN_COMMAND_MS)) return undefined;
  return { id, kind, durationMs: Math.min(durationMs, MAX_COMMAND_MS) };
}
