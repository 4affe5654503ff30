import { expect, it } from 'vitest';
import { compare } from './compare.js';
import { describedFleet } from './testing/described-fleet.js';
import type { SideDescription } from './testing/described-fleet.js';

const side: SideDescription = {
  processes: 3,
  windows: 3,
  traffic: { 'GET /cart': 300, 'POST /order': 100 },
  cost: {
    'handle > price@src/price.ts': { 'GET /cart': 1 },
    'handle > parse@json:lib/parse.js': { 'GET /cart': 0.5, 'POST /order': 0.4 },
    'order > save@src/save.ts': { 'POST /order': 2 },
    '(garbage collector)': { second: 0.5 },
  },
};

it('gives the document that was reviewed', async () => {
  const candidate = {
    ...side,
    cost: { ...side.cost, 'handle > price@src/price.ts': { 'GET /cart': 1.6 } },
    traffic: { 'GET /cart': 280, 'POST /order': 120 },
  };
  const result = compare(describedFleet({ baseline: side, candidate }));
  await expect(`${JSON.stringify(result, null, 1)}\n`).toMatchFileSnapshot('./golden/small-comparison.json');
});
