/** `--NAME N` on the command line. @throws {Error} if it is no number above 0 */
export function numberOption(name: string, byDefault: number): number {
  const at = process.argv.indexOf(`--${name}`);
  const value = at === -1 ? byDefault : Number(process.argv[at + 1]);
  if (!(value > 0)) throw new Error(`--${name} takes a number`);
  return value;
}
