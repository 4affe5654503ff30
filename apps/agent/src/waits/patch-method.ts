import { copySymbols, lookLike } from '../safety/look-like.js';

/** Any function of the host, called with whatever it is called with. */
export type HostFunction = (this: unknown, ...args: unknown[]) => unknown;

/** Takes back what was done to something of the host. */
export type Undo = () => void;

/**
 * Puts a function of ours in the place of a method. What cannot be replaced stays as it is: a getter, a frozen object, no function.
 *
 * @param around - Makes ours, which calls `theirs` exactly once with what it got.
 * @returns What puts theirs back, unless somebody has wrapped ours meanwhile; `undefined` if nothing was done.
 */
export function patchMethod(
  owner: object,
  name: string | symbol,
  around: (theirs: HostFunction) => HostFunction,
): Undo | undefined {
  const before = Object.getOwnPropertyDescriptor(owner, name);
  if (typeof before?.value !== 'function' || (before.writable !== true && before.configurable !== true)) return undefined;
  const theirs = before.value as HostFunction;
  const ours = around(theirs);
  lookLike(ours, theirs);
  copySymbols(ours, theirs); // as `util.promisify.custom`
  if (!Reflect.defineProperty(owner, name, { ...before, value: ours })) return undefined;
  return () => {
    if (Object.getOwnPropertyDescriptor(owner, name)?.value === ours) Reflect.defineProperty(owner, name, before);
  };
}

/** Patches each method of each object once, however many copies or entry points of a library share the object. */
export class PatchedOnce {
  readonly #patched = new WeakMap<object, Set<string>>();

  /** @returns What takes it back; `undefined` if nothing was done. */
  patch(owner: object, name: string, around: (theirs: HostFunction) => HostFunction): Undo | undefined {
    const names = this.#patched.get(owner) ?? new Set();
    if (names.has(name)) return undefined;
    const undo = patchMethod(owner, name, around);
    if (undo !== undefined) this.#patched.set(owner, names.add(name));
    return undo;
  }
}

/** The object in the prototype chain that has the method itself. */
export function ownerOf(object: unknown, name: string): object | undefined {
  let owner: unknown = object;
  while (typeof owner === 'object' || typeof owner === 'function') {
    if (owner === null || Object.hasOwn(owner, name)) return owner ?? undefined;
    owner = Object.getPrototypeOf(owner);
  }
  return undefined;
}
