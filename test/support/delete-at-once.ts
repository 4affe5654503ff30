import type { DeletionAnswer } from '@hearth/query-contract';
import { DeletionRun } from '../../apps/server/src/features/retention/deletion-run.js';
import { Deletions } from '../../apps/server/src/features/retention/deletions.repository.js';
import type { QueryServer } from './query-server.js';

/** Long enough here, where nothing is stored meanwhile: a worker waits 15 s for what may still be on its way. */
const SETTLED_MS = 100;

/** Orders a deletion and carries it out, on a server whose ticks stand still: else its own worker may be faster. @returns What became of the order. */
export async function deleteAtOnce(server: QueryServer, path: string): Promise<DeletionAnswer> {
  const of = <Kind>(kind: new (...parameters: never[]) => Kind): Kind => server.app.get(kind, { strict: false });
  const { body } = await server.delete<DeletionAnswer>(path);
  const order = await of(Deletions).findOfProject(1, Number(body.id));
  await of(DeletionRun).run(order!, SETTLED_MS);
  return (await server.get<DeletionAnswer>(`/api/v1/deletions/${body.id}`)).body;
}
