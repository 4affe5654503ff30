import { Agent, type ClientRequest } from 'node:http';
import { patchMethod, type Undo } from '../patch-method.js';
import { methodName, peerName } from '../peer-name.js';
import type { WaitRecorder } from '../wait-recorder.js';

/**
 * Requests of `node:http` and `node:https`, and of what is built on them, until their answer has been read. Every request passes its
 * agent's `addRequest` while it is made: synchronously, so in its caller's context, and whichever way the host got hold of `request`. The
 * channel `http.client.request.created`, which would do, is missing in Node 20.
 */
export function followHttpClients(recorder: WaitRecorder): Undo {
  const known = new WeakSet<ClientRequest>(); // an agent may hand a request on to another, as those of proxy-agent do
  const undo = patchMethod(
    Agent.prototype,
    'addRequest',
    (addRequest) =>
      function ours(this: unknown, ...args) {
        const request = args[0] as ClientRequest | undefined;
        if (typeof request?.once !== 'function' || known.has(request)) return addRequest.apply(this, args);
        known.add(request);
        const wait = recorder.begin('http', `${methodName(request.method)} ${peerName(request.host)}`, ours);
        // Comes after the answer's end, and after an error.
        if (wait !== undefined) request.once('close', () => recorder.end(wait));
        return addRequest.apply(this, args);
      },
  );
  return () => undo?.();
}
