/** Gives our function around the host's the name and length of that one: frameworks tell an error handler by its four parameters. */
export function lookLike<Fn extends (...args: never[]) => unknown>(ours: (...args: never[]) => unknown, theirs: Fn): Fn {
  Object.defineProperty(ours, 'name', { value: theirs.name, configurable: true });
  Object.defineProperty(ours, 'length', { value: theirs.length, configurable: true });
  return ours as Fn;
}
