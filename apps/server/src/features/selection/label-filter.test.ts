import { describe, expect, it } from 'vitest';
import { labelSet } from '@hearth/profile-model';
import { filterByLabels, parseLabelQuestion } from './label-filter.js';

const labelSets = new Map([
  [1, labelSet({})],
  [2, labelSet({ transaction: 'GET /', plan: 'pro' })],
  [3, labelSet({ transaction: 'GET /', plan: 'free' })],
  [4, labelSet({ transaction: 'GET /cart', __proto__hidden: 'x' })],
]);
const processes = [
  { id: 10, labels: labelSet({ pod: 'a-1', plan: 'ignored' }) },
  { id: 11, labels: labelSet({ pod: 'b-1' }) },
];
const filter = (match?: string, transaction?: string) =>
  filterByLabels(parseLabelQuestion(match, transaction), labelSets, processes);

describe('filterByLabels', () => {
  it('asks nothing when nothing is asked', () => {
    expect(filter()).toEqual({ labelSetIds: undefined, processIds: undefined });
    expect(filter('{}')).toEqual({ labelSetIds: undefined, processIds: undefined });
  });
  it('asks samples for the labels that samples carry, also where processes carry them too', () => {
    expect(filter('{plan="pro"}')).toEqual({ labelSetIds: [2], processIds: undefined });
    expect(filter('{plan!~"pro|free"}')).toEqual({ labelSetIds: [1, 4], processIds: undefined });
  });
  it('asks processes for the labels that only they carry', () => {
    expect(filter('{pod=~"a.*"}')).toEqual({ labelSetIds: undefined, processIds: [10] });
  });
  it('joins a transaction and matchers', () => {
    expect(filter('{plan="free"}', 'GET /')).toEqual({ labelSetIds: [3], processIds: undefined });
    expect(filter(undefined, 'GET /')).toEqual({ labelSetIds: [2, 3], processIds: undefined });
  });
  it('finds nothing for a label that nobody carries', () => {
    expect(filter('{nobody="x"}').labelSetIds).toEqual([]);
    expect(filter('{__proto__="x"}').labelSetIds).toEqual([]);
    expect(filter('{nobody=""}').labelSetIds).toEqual([1, 2, 3, 4]);
  });
  it.each(['{plan}', '{plan="pro"', 'plan=pro', '{plan=~"("}', "{plan='pro'}; DROP TABLE service"])(
    'refuses %s with a code',
    (match) => {
      expect(() => filter(match)).toThrow(expect.objectContaining({ code: 'LABEL_MATCHER' }));
    },
  );

  it('matches a pattern that would ruin a backtracking engine at once', () => {
    const started = performance.now();
    const long = new Map([[1, labelSet({ plan: 'a'.repeat(2000) })]]);
    expect(filterByLabels(parseLabelQuestion('{plan=~"(a+)+b"}', undefined), long, []).labelSetIds).toEqual([]);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
