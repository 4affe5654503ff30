/**
 * What release 1.5.0 of the shop changes on purpose, and which alarms of a comparison that explains.
 * The rule is written out in docs/demo.md; an alarm it does not explain is a false alarm.
 */

/** `from` and `to`: file of the function in the baseline and in the candidate. */
export const PLANTED_CHANGES = [
  {
    kind: 'dearer',
    name: 'estimateDelivery',
    from: 'src/delivery/estimate-delivery.js',
    to: 'src/delivery/estimate-delivery.js',
    transactions: ['GET /cart/:cartId'],
  },
  {
    kind: 'cheaper',
    name: 'rankProducts',
    from: 'src/catalog/search.js',
    to: 'src/catalog/search.js',
    transactions: ['GET /search'],
  },
  {
    kind: 'moved',
    name: 'relatedProducts',
    from: 'src/catalog/related-products.js',
    to: 'src/recommendations/related-products.js',
    transactions: ['GET /products/:productId'],
  },
];

const ALARMS = new Set(['REGRESSED', 'IMPROVED', 'NEW', 'GONE']);
const DIRECTION = { dearer: 'REGRESSED', cheaper: 'IMPROVED' };

/**
 * By how much the dearer function's cost per cart page grew, from what both releases served: its work is counted in
 * evaluations that cost alike in both.
 *
 * @param {{ cartPages: number, deliveryEvaluations: number }} baseline
 * @param {{ cartPages: number, deliveryEvaluations: number }} candidate
 * @returns {number} Percent.
 */
export function plantedPct(baseline, candidate) {
  const perPage = ({ cartPages, deliveryEvaluations }) => deliveryEvaluations / cartPages;
  return 100 * (perPage(candidate) / perPage(baseline) - 1);
}

/**
 * The alarms of a comparison that no planted change explains.
 *
 * @param result - The `ComparisonResult` of libs/profile-diff.
 * @returns {{ function: string | null, file: string | null, metric: string | null, transaction: string | null, verdict: string, delta_pct: number | null }[]}
 *   `function` is `null` for an alarm about a transaction as a whole.
 */
export function falseAlarms(result, planted = PLANTED_CHANGES) {
  const callersOf = new Map(planted.map((change) => [change, callersIn(result.tree, change)]));
  const functions = result.functions
    .filter(
      (row) => ALARMS.has(row.change.verdict) && !planted.some((change) => explainsFunction(change, row, callersOf.get(change))),
    )
    .map((row) => ({
      function: row.function.name,
      file: row.function.file,
      metric: row.metric,
      transaction: row.transaction,
      ...figures(row.change),
    }));
  const transactions = result.transactions
    .filter((row) => ALARMS.has(row.change.verdict) && !planted.some((change) => explainsTransaction(change, row)))
    .map((row) => ({ function: null, file: null, metric: null, transaction: row.transaction, ...figures(row.change) }));
  return [...functions, ...transactions];
}

/** Is this row's function one that a change is about? */
export function isPlanted(change, { name, file }) {
  return name === change.name && (file === change.from || file === change.to);
}

function explainsFunction(change, { function: key, metric, transaction, change: { verdict } }, callers) {
  // A function is only dearer or cheaper where it is called.
  if (transaction !== null && !change.transactions.includes(transaction)) return false;
  if (isPlanted(change, key)) {
    if (change.kind !== 'moved') return verdict === DIRECTION[change.kind];
    return verdict === (key.file === change.to ? 'NEW' : 'GONE');
  }
  // Whoever calls it contains its cost, and changes the same way; its own, self, cost does not.
  return metric === 'inclusive' && change.kind !== 'moved' && callers.has(identity(key)) && verdict === DIRECTION[change.kind];
}

function explainsTransaction(change, { transaction, change: { verdict } }) {
  return change.transactions.includes(transaction) && verdict === DIRECTION[change.kind];
}

/** Every function on the way from the root to a planted one. */
function callersIn({ depth, functionRow, functions }, change) {
  const callers = new Set();
  const path = [];
  for (let row = 0; row < depth.length; row += 1) {
    path.length = depth[row];
    const key = functions[functionRow[row]]; // the root and truncated nodes have none
    if (key !== undefined && isPlanted(change, key))
      path.forEach((caller) => caller !== undefined && callers.add(identity(caller)));
    path.push(key);
  }
  return callers;
}

function identity(key) {
  return `${key.package}\n${key.file}\n${key.name}`;
}

function figures({ verdict, deltaPct }) {
  return { verdict, delta_pct: deltaPct };
}
