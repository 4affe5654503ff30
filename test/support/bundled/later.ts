/** What the next release adds: it takes names from those that were there, so minified names of the others are new ones. */
const added = (step: number): number => Math.sqrt(step) + 1;
function addedToo(step: number): number {
  return added(step) * 2;
}
export function addedWork(): number {
  let sum = 0;
  for (let step = 0; step < 1_000; step += 1) sum += addedToo(step);
  return sum;
}
console.log(addedWork());
await import('./main.js');
