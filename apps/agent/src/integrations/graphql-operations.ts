import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Guard } from '../safety/guard.js';

/** `graphql` 17 says here which operation it executes. */
const EXECUTE_START = 'tracing:graphql:execute:start';
/** Names of operations come from clients: more different ones than any service has in its code are one. */
export const MAX_OPERATIONS = 300;
/** Carries the operation of a transaction that is no request. */
export const OPERATION_LABEL = 'graphql';
const OTHER = '(other)';

/** What a GraphQL document has of an operation. */
export interface GraphqlOperation {
  /** `query`, `mutation` or `subscription`. */
  readonly operation: string;
  readonly name?: { readonly value: string } | undefined;
}

/** Operations as they are shown: `query GetUser`, `mutation (anonymous)`; never their variables. */
export class OperationNames {
  readonly #known = new Set<string>();

  nameOf(type: unknown, name: unknown): string {
    const kind = typeof type === 'string' && /^(query|mutation|subscription)$/.test(type) ? type : 'operation';
    const text = `${kind} ${typeof name === 'string' && /^\w{1,100}$/.test(name) ? name : '(anonymous)'}`;
    if (this.#known.has(text)) return text;
    if (this.#known.size >= MAX_OPERATIONS) return `${kind} ${OTHER}`;
    this.#known.add(text);
    return text;
  }
}

/** The operation of a document that is executed: the named one, or its only one. */
export function operationOf(document: unknown, operationName: unknown): GraphqlOperation | undefined {
  const { definitions } = Object(document) as { definitions?: unknown };
  if (!Array.isArray(definitions)) return undefined;
  const operations = (definitions as (GraphqlOperation & { kind?: string })[]).filter(
    ({ kind }) => kind === 'OperationDefinition',
  );
  if (typeof operationName !== 'string') return operations.length === 1 ? operations[0] : undefined;
  return operations.find(({ name }) => name?.value === operationName);
}

/** Calls `onOperation` where one begins, in its context. @returns What ends it. */
export function followGraphqlOperations(guard: Guard, onOperation: (type: unknown, name: unknown) => void): () => void {
  const started = (message: unknown): void => {
    guard.run(() => {
      const { operationType, operationName } = message as { operationType?: unknown; operationName?: unknown };
      onOperation(operationType, operationName);
    }, undefined);
  };
  subscribe(EXECUTE_START, started);
  return () => void unsubscribe(EXECUTE_START, started);
}
