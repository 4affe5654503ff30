/** Those that pretend to be Node, and whose engine or add-ons are others. */
const OTHERS = { bun: 'Bun', deno: 'Deno' } as const;

/** The name of the runtime that this is instead of Node; `undefined` for Node. */
export function otherRuntime(versions: Readonly<Record<string, string | undefined>>): string | undefined {
  for (const [key, name] of Object.entries(OTHERS)) if (versions[key] !== undefined) return name;
  return undefined;
}
