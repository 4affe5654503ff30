import { syncBuiltinESMExports } from 'node:module';
import type { Guard } from '../safety/guard.js';
import { followLibraries, type FollowedLibrary } from './loaded-libraries.js';
import { followDns } from './operations/dns.js';
import { followFsPromises } from './operations/fs-promises.js';
import { followHttpClients } from './operations/http-client.js';
import { ioredisOperations } from './operations/ioredis.js';
import { mysql2Operations } from './operations/mysql2.js';
import { mongodbOperations } from './operations/mongodb.js';
import { pgOperations } from './operations/pg.js';
import { followTimers } from './operations/timers.js';
import { undiciOperations } from './operations/undici.js';
import type { Undo } from './patch-method.js';
import type { WaitRecorder } from './wait-recorder.js';

/** Those whose operations are shown in a package of their own. */
export function followedLibraries(recorder: WaitRecorder): FollowedLibrary[] {
  return [pgOperations(recorder), mysql2Operations(recorder), ioredisOperations(recorder), mongodbOperations(recorder)];
}

/** Lets every operation that is known report to the recorder. @returns What lets the host go again. */
export function followWaits(recorder: WaitRecorder, guard: Guard): Undo {
  const undici = undiciOperations(recorder);
  const follows: readonly (() => Undo)[] = [
    undici.follow,
    () => followHttpClients(recorder),
    () => followDns(recorder),
    () => followFsPromises(recorder),
    () => followTimers(recorder),
    () => followLibraries([...followedLibraries(recorder), undici.library], guard),
  ];
  const undos = follows.map((follow) => guard.run(follow, () => {})); // each by itself: one that fails is missing
  guard.run(syncBuiltinESMExports, undefined); // `import { readFile } from 'node:fs/promises'` follows
  return () => {
    for (const undo of undos) guard.run(undo, undefined);
    guard.run(syncBuiltinESMExports, undefined);
  };
}
