import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Undo } from '../patch-method.js';
import { methodName, peerName } from '../peer-name.js';
import type { Wait } from '../wait.js';
import type { WaitRecorder } from '../wait-recorder.js';

const CREATED = 'undici:request:create';
/** The whole answer is there; a body that nobody reads never comes to this. */
const FINISHED = 'undici:request:trailers';
const FAILED = 'undici:request:error';

interface RequestMessage {
  readonly request: { readonly method?: unknown; readonly origin?: unknown };
}

/** Requests of `fetch` and of undici, Node's own copy and the host's, from their creation to the end of their answer. */
export function followUndici(recorder: WaitRecorder): Undo {
  const waits = new WeakMap<object, Wait>();
  function onCreated(message: unknown): void {
    const { request } = message as RequestMessage;
    const wait = recorder.begin('fetch', `${methodName(request.method)} ${peerName(request.origin)}`, onCreated);
    if (wait !== undefined) waits.set(request, wait);
  }
  function onEnded(message: unknown): void {
    recorder.end(waits.get((message as RequestMessage).request));
  }
  subscribe(CREATED, onCreated);
  subscribe(FINISHED, onEnded);
  subscribe(FAILED, onEnded);
  return () => {
    unsubscribe(CREATED, onCreated);
    unsubscribe(FINISHED, onEnded);
    unsubscribe(FAILED, onEnded);
  };
}
