/** Gives our function the properties of the host's that are named by symbols. */
export function copySymbols(ours: object, theirs: object): void {
  for (const symbol of Object.getOwnPropertySymbols(theirs))
    Object.defineProperty(ours, symbol, Object.getOwnPropertyDescriptor(theirs, symbol)!);
}

/** Gives our function around the host's the name and length of that one: frameworks tell an error handler by its four parameters. */
export function lookLike<Fn extends (...args: never[]) => unknown>(ours: (...args: never[]) => unknown, theirs: Fn): Fn {
  Object.defineProperty(ours, 'name', { value: theirs.name, configurable: true });
  Object.defineProperty(ours, 'length', { value: theirs.length, configurable: true });
  return ours as Fn;
}
