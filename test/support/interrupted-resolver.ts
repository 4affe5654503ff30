import { Catalog, PinnedRevisions } from '../../apps/server/src/features/catalog/index.js';
import { Cover } from '../../apps/server/src/features/rollup/index.js';
import { SelectionResolver } from '../../apps/server/src/features/selection/index.js';
import type { QueryServer } from './query-server.js';

/** Something happens once, between the resolving of a selection and the reading of what it selects. */
export class InterruptedResolver extends SelectionResolver {
  readonly #happen: () => Promise<void>;
  #happened: Promise<void> | undefined;

  constructor({ app }: QueryServer, happen: () => Promise<void>) {
    super(app.get(Catalog, { strict: false }), app.get(Cover, { strict: false }), app.get(PinnedRevisions, { strict: false }));
    this.#happen = happen;
  }

  override async resolveScope(
    ...asked: Parameters<SelectionResolver['resolveScope']>
  ): ReturnType<SelectionResolver['resolveScope']> {
    const scope = await super.resolveScope(...asked);
    await (this.#happened ??= this.#happen());
    return scope;
  }
}
