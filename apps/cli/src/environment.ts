/** What the environment says. The only file that reads `process.env`. */
export interface CliEnvironment {
  readonly url: string | undefined;
  readonly key: string | undefined;
  /** All of it: the revision is looked for as the agent looks for it. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

export function readEnvironment(variables: Readonly<Record<string, string | undefined>> = process.env): CliEnvironment {
  const text = (name: string): string | undefined => variables[name]?.trim() || undefined;
  return { url: text('HEARTH_URL'), key: text('HEARTH_KEY'), variables };
}
