import { setTimeout as sleep } from 'node:timers/promises';

/** What `look` gives, once it gives something. Until then it may throw: a service nobody has heard of yet is a fault. @throws its last fault. */
export async function until<Seen>(look: () => Promise<Seen | undefined>, withinMs = 60_000): Promise<Seen> {
  for (const untilMs = Date.now() + withinMs; ;) {
    let fault: unknown = new Error(`not seen within ${withinMs / 1000} s`);
    const seen = await look().catch((error: unknown) => {
      fault = error;
      return undefined;
    });
    if (seen !== undefined) return seen;
    if (Date.now() > untilMs) throw fault;
    await sleep(300);
  }
}
