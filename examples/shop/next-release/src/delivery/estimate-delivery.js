import { served } from '../served.js';

/** Speed in km/h, cost in cents per km and litre: what a courier is good at. */
const COURIERS = [
  { name: 'bike', speed: 14, cents: 0.11 },
  { name: 'van', speed: 31, cents: 0.07 },
  { name: 'night van', speed: 44, cents: 0.09 },
  { name: 'parcel locker', speed: 26, cents: 0.04 },
  { name: 'drone', speed: 60, cents: 0.4 },
];
/** Quarters of an hour of one day. */
const SLOTS = 96;
/** Stops on one round of a courier. */
const STOPS = 900;

/**
 * The cheapest slot of one day for these items: every courier, slot and item is tried over a whole round.
 *
 * @param plan - What the customer pays for: `free`, `standard` or `premium`. Premium customers choose among all couriers,
 *   the others are offered bike and van.
 */
export function estimateDelivery(items, plan) {
  const offered = plan === 'premium' ? COURIERS : COURIERS.slice(0, 2);
  let best = { courier: '', slot: 0, cents: Infinity };
  for (const { name, speed, cents } of offered) {
    for (let slot = 0; slot < SLOTS; slot += 1) {
      let sum = 0;
      for (const { litres, weightGrams } of items) {
        let load = litres + weightGrams / 1000;
        for (let stop = 1; stop <= STOPS; stop += 1) {
          const traffic = 1 + 0.5 * Math.sqrt(((slot * stop) % SLOTS) / SLOTS);
          load = load * 0.97 + Math.sqrt(load + stop);
          sum += (load * cents * traffic * stop) / speed;
        }
      }
      if (sum < best.cents) best = { courier: name, slot, cents: sum };
    }
  }
  served.deliveryEvaluations += offered.length * SLOTS * items.length;
  return { ...best, plan };
}
