import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { FollowedLibrary } from '../loaded-libraries.js';
import { ownerOf, PatchedOnce, type HostFunction, type Undo } from '../patch-method.js';
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

/** What was asked of a dispatcher, until a client makes a request of it. A full pool keeps it, and hands it on where somebody else gives a connection back. */
interface Ask {
  wait: Wait | undefined;
  isMade: boolean;
}

/**
 * Requests of `fetch` and of undici, Node's own copy and the host's, from their creation to the end of their answer. Dispatchers of a copy that is loaded as a library are
 * followed as well: what a pool of theirs keeps waits from when it was asked for, and what they ask again, as redirections, belongs to who asked first.
 */
export function undiciOperations(recorder: WaitRecorder): { readonly follow: () => Undo; readonly library: FollowedLibrary } {
  const waits = new WeakMap<object, Wait>();
  const methods = new PatchedOnce();
  /** By their handlers, which are handed on from dispatcher to dispatcher as they are. */
  const asks = new WeakMap<object, Ask>();
  /** That of the `dispatch` that runs. */
  let current: Ask | undefined;

  function onCreated(message: unknown): void {
    const { request } = message as RequestMessage;
    const name = `${methodName(request.method)} ${peerName(request.origin)}`;
    let wait: Wait | undefined;
    if (current?.isMade === false) {
      current.isMade = true;
      wait = current.wait;
      if (wait !== undefined) recorder.name(wait, 'fetch', name);
    } else {
      wait = recorder.begin('fetch', name, onCreated);
    }
    if (wait !== undefined) waits.set(request, wait);
  }
  function onEnded(message: unknown): void {
    recorder.end(waits.get((message as RequestMessage).request));
  }

  function askOf(handler: object, isAskedAgain: (handler: object) => boolean, hideAbove: HostFunction): Ask {
    const known = asks.get(handler);
    if (known?.isMade === false) return known;
    if (known !== undefined && isAskedAgain(handler)) {
      known.wait &&= recorder.again(known.wait);
      known.isMade = false;
      return known;
    }
    // One within another is the same, handed on with a handler of undici's around the host's. What it is called is said when it is made.
    const ask = current?.isMade === false ? current : { wait: recorder.begin('fetch', '(queued)', hideAbove), isMade: false };
    asks.set(handler, ask);
    return ask;
  }

  const aroundDispatch =
    (isAskedAgain: (handler: object) => boolean) =>
    (dispatch: HostFunction): HostFunction =>
      function ours(this: unknown, ...args) {
        const handler = args[1];
        if (typeof handler !== 'object' || handler === null) return dispatch.apply(this, args);
        const outer = current;
        current = askOf(handler, isAskedAgain, ours);
        try {
          return dispatch.apply(this, args);
        } finally {
          current = outer;
        }
      };

  return {
    follow: () => {
      subscribe(CREATED, onCreated);
      subscribe(FINISHED, onEnded);
      subscribe(FAILED, onEnded);
      return () => {
        unsubscribe(CREATED, onCreated);
        unsubscribe(FINISHED, onEnded);
        unsubscribe(FAILED, onEnded);
      };
    },
    library: {
      packageName: 'undici',
      follow: (exports) => {
        const { Pool, RetryHandler, RedirectHandler } = exports as Record<string, unknown>;
        const owner = typeof Pool === 'function' ? ownerOf(Pool.prototype, 'dispatch') : undefined;
        if (owner === undefined) return undefined;
        const askingAgain = [RetryHandler, RedirectHandler].filter((one) => typeof one === 'function');
        // Others are made for each request, or a host's own that it uses many times.
        const isAskedAgain = (handler: object): boolean => askingAgain.some((one) => handler instanceof one);
        return methods.patch(owner, 'dispatch', aroundDispatch(isAskedAgain)) ?? (() => {});
      },
    },
  };
}
