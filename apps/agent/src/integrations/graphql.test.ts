import { expect, it } from 'vitest';
import { wrapExecute } from './graphql.js';

it('wrapExecute calls the method of the object that it is called on', () => {
  const engine = {
    name: 'of the host',
    execute: wrapExecute(function (this: { name: string } | undefined, { document }: { document: unknown }) {
      return [this?.name, document];
    }),
  };
  expect(engine.execute({ document: 'query' })).toEqual(['of the host', 'query']);
});
