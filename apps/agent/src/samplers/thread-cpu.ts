import { readFileSync } from 'node:fs';

/** Node 23.9 and later. */
interface NodeProcess {
  readonly threadCpuUsage?: () => { readonly user: number; readonly system: number };
}

/**
 * CPU that this thread has used, in nanoseconds of which only differences mean anything. Where nothing tells (Node before 23.9 without Linux's `/proc`),
 * that of the whole process, which is more.
 */
export function threadCpuNanos(): number {
  return ownCpuNanos() ?? sumNanos(process.cpuUsage());
}

/** The same of this thread alone; `undefined` where nothing tells. */
export function ownCpuNanos(): number | undefined {
  const { threadCpuUsage }: NodeJS.Process & NodeProcess = process;
  return threadCpuUsage === undefined ? scheduledNanos() : sumNanos(threadCpuUsage.call(process));
}

const sumNanos = ({ user, system }: { user: number; system: number }): number => (user + system) * 1_000;

/** The first number there is the time on a processor, in nanoseconds. */
function scheduledNanos(): number | undefined {
  try {
    const nanos = Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ', 1)[0]);
    return nanos > 0 ? nanos : undefined; // some kernels keep the file and count nothing
  } catch {
    return undefined;
  }
}
