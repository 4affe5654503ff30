export function tax(amount: number): number {
  let rate = 0;
  for (let step = 0; step < 90_000; step += 1) rate += Math.sin(step * amount);
  return rate;
}
