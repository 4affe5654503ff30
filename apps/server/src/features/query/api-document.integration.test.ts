import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../../../../../test/support/postgres.js';
import { QueryServer } from '../../../../../test/support/query-server.js';

interface OpenApi {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          { readonly summary?: string; readonly parameters?: readonly { readonly name: string; readonly in: string }[] }
        >
      >
    >
  >;
}

const text = readFileSync(new URL('../../../../../docs/api.md', import.meta.url), 'utf8');
const selectionTable = text.slice(text.indexOf('## Selections'), text.indexOf('## Profiles'));
/** What stands below each route's heading. */
const sections = new Map(
  text
    .split(/^### /m)
    .slice(1)
    .map((section) => [/^`([A-Z]+ [^`]+)`/.exec(section)?.[1] ?? section.slice(0, 40), section.split(/^## /m)[0]!] as const),
);

let postgres: TestPostgres;
let server: QueryServer;
let document: OpenApi;
beforeAll(async () => {
  postgres = await startTestPostgres();
  server = await QueryServer.start(await postgres.createDatabase());
  document = (await server.get<OpenApi>('/api/openapi.json')).body;
});
afterAll(async () => {
  await server?.stop();
  await postgres?.stop();
});

describe('docs/api.md', () => {
  it('has a section for each route, and no other', () => {
    const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect([...sections.keys()].sort()).toEqual(routes.sort());
  });

  it('names every parameter of every route', () => {
    const missing = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).flatMap(([method, { parameters = [] }]) => {
        const section = sections.get(`${method.toUpperCase()} ${path}`) ?? '';
        const isAboutSelection = parameters.some(({ name }) => name === 'match');
        return parameters
          .filter(
            ({ name }) =>
              !section.includes(`\`${name}\``) &&
              !path.includes(`{${name}}`) &&
              !(isAboutSelection && selectionTable.includes(`\`${name}\``)),
          )
          .map(({ name }) => `${method} ${path}: ${name}`);
      }),
    );
    expect(missing).toEqual([]);
  });

  it('every route says in the OpenAPI document what it is for', () => {
    const silent = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods)
        .filter(([, route]) => !route.summary)
        .map(([method]) => `${method} ${path}`),
    );
    expect(silent).toEqual([]);
  });

  const examples = [...text.matchAll(/^```json(?: golden=([\w-]+))?\n([\s\S]*?)^```$/gm)].map(([, golden, json]) => ({
    golden,
    json: json!,
  }));

  it('has examples that are JSON', () => {
    for (const { json } of examples) expect(() => JSON.parse(json) as unknown).not.toThrow();
  });

  it.each(examples.filter(({ golden }) => golden !== undefined))('shows $golden as the server answers it', ({ golden, json }) => {
    const example = JSON.parse(json) as unknown;
    expect(shapeOf(example)).toEqual(
      shapeOf(JSON.parse(readFileSync(new URL(`./golden/${golden}.json`, import.meta.url), 'utf8'))),
    );
  });
});

/** Names and kinds of a reply, the last element standing for a list: an example may be shortened, and must not have other fields. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value.at(-1))];
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, shapeOf(part)]));
  return typeof value;
}
