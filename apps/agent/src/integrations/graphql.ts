import { lookLike } from '../safety/look-like.js';
import { sharedAgent } from '../shared-agent.js';
import { operationOf, type GraphqlOperation } from './graphql-operations.js';

export type { GraphqlOperation };

/**
 * Adds the operation to the name of the request that runs here, `POST /graphql query GetUser`; a second one in the same request makes it `(batch)`. To a
 * transaction that is no request it is the label `graphql`. For plugins of servers that say which operation they run. `graphql` 17 needs neither this nor `wrapExecute`.
 *
 * @param operation - As the document has it. Its name is shown if it is a GraphQL name of at most 100 characters; of more than 300 in a process the rest is `(other)`.
 */
export function nameOperation(operation: GraphqlOperation): void {
  sharedAgent().nameOperation(operation?.operation, operation?.name?.value);
}

/** A function that does as `execute` of `graphql` 16 does, and names the operation. */
export function wrapExecute<Args extends { readonly document: unknown }, Result>(
  execute: (args: Args) => Result,
): (args: Args) => Result {
  const ours = function (this: unknown, args: Args): Result {
    const { document, operationName } = Object(args) as { document?: unknown; operationName?: unknown };
    const operation = operationOf(document, operationName);
    if (operation !== undefined) nameOperation(operation);
    return execute.call(this, args);
  };
  return lookLike(ours, execute);
}
