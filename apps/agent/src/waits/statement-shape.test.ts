import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_SHAPE_LENGTH, StatementShapes, statementShape } from './statement-shape.js';

/** A value as a program may put it into a text of Postgres, and what tells it. */
interface Literal {
  readonly text: string;
}
const anyText = fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.replaceAll('\0', '').replaceAll('\\', ''));
const anyTextWithBackslash = fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.replaceAll('\0', ''));
const doubled = (text: string) => `'${text.replaceAll("'", "''")}'`;
const postgresLiteral: fc.Arbitrary<Literal> = fc.oneof(
  anyText.map((text) => ({ text: doubled(text) })),
  anyText.map((text) => ({ text: `U&${doubled(text)}` })),
  anyTextWithBackslash.map((text) => ({ text: `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'` })),
  fc.tuple(anyText, fc.stringMatching(/^([a-z_][a-z0-9_]{0,5})?$/)).map(([text, tag]) => ({
    text: `$${tag}$${text.replaceAll('$', '')}$${tag}$`,
  })),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 }).map((number) => ({ text: String(number) })),
  fc.bigInt({ min: 0n }).map((number) => ({ text: String(number) })),
  fc.nat().map((number) => ({ text: `0x${number.toString(16)}` })),
  fc.boolean().map((truth) => ({ text: String(truth) })),
  fc.integer({ min: 1, max: 99 }).map((at) => ({ text: `$${at}` })),
);
const comment = anyText.map((text) => ` /* ${text.replaceAll('*', '').replaceAll('/', '')} */ `);
/** A statement with holes for values, lists of them and comments. */
const WHOLE =
  /^SELECT a\.name, count\(\*\) FROM orders a WHERE a\.mail = \? AND a\.id IN \(\?\) AND "Odd Name" > \? ORDER BY name LIMIT \?$/;
const statement = fc
  .tuple(postgresLiteral, fc.array(postgresLiteral, { minLength: 1, maxLength: 6 }), postgresLiteral, postgresLiteral, comment)
  .map(
    ([mail, ids, odd, limit, note]) =>
      `SELECT a.name, count(*)${note}FROM orders a WHERE a.mail = ${mail.text} AND a.id IN (${ids.map(({ text }) => text).join(', ')})
       AND "Odd Name" > ${odd.text} ORDER BY name${note}LIMIT ${limit.text} -- ${note.replaceAll(/[\n\r]/g, ' ')}`,
  );

describe('statementShape', () => {
  it('is one and the same whatever the values are', () => {
    fc.assert(
      fc.property(statement, (text) => {
        expect(statementShape(text, 'postgres')).toMatch(WHOLE);
      }),
      { numRuns: 2_000 },
    );
  });

  it('has nothing of a value where it may be quoted in two ways', () => {
    const secret = 'Secret';
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom("'", '\\', '"', '`', '$$', '$a$', '--', '/*', '*/', '#', ',', ' ', '\n', 'x', '1', 'E', '(', secret),
        ),
        fc.constantFrom('postgres' as const, 'mysql' as const),
        (parts, dialect) => {
          // Whatever stands between the quotes, doubled or escaped, is a value; the reader that is fooled would show it.
          for (const inside of [
            parts.join('').replaceAll("'", "''").replaceAll('\\', '\\\\'),
            parts.join('').replace(/[\\']/g, '\\$&'),
          ]) {
            const shape = statementShape(`SELECT a FROM t WHERE b = '${inside}'`, dialect);
            expect(shape).not.toContain(secret);
          }
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it('has nothing of a value of MySQL beside two minus signs and comments', () => {
    const secret = 'Secret';
    const odd = fc.constantFrom("''", '""', '--', '-- ', '#', '/*', '*/', '\n', '\r', '`', 'x', ',', ' ', secret);
    const inside = fc.array(odd, { maxLength: 8 }).map((parts) => parts.join('') + secret);
    const literal = fc.tuple(inside, fc.constantFrom("'", '"')).map(([text, quote]) => `${quote}${text}${quote}`);
    const remark = inside.map((text) => text.replaceAll('\n', ' '));
    const part = fc.oneof(
      literal,
      fc
        .tuple(fc.constantFrom('a=a--', 'a- -', '--', '-', 'a-->', 'a /'), fc.oneof(literal, fc.constant('5')))
        .map((two) => two.join('')),
      fc.constantFrom('a', ',', '=', 'a--5', 'a--b', 'a--(5)'),
      fc.tuple(fc.constantFrom('-- ', '--\t', '--\r', '--\x01', '--\x7f', '#'), remark).map((two) => `${two.join('')}\n`),
      fc.constant('--\n'),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 10 }), (parts) => {
        expect(statementShape(`UPDATE t SET a = ${parts.join(' ')}`, 'mysql')).not.toContain(secret);
      }),
      { numRuns: 3_000 },
    );
  });

  it.each([
    ["UPDATE t SET a=a--5, note='first line\nmy secret note' WHERE id=3", 'UPDATE t SET a = a - - ?, note = ? WHERE id = ?'],
    ["SELECT 1 -- it's\n, 'b'", 'SELECT ?'],
    ['SELECT 1 --', 'SELECT ?'],
    ["SELECT a --\rit's\nFROM t", 'SELECT a FROM t'],
    ["SELECT a #\rit's\nFROM t", 'SELECT a FROM t'],
    ["SELECT a --\u00a0it's\nFROM t WHERE b = 'c'", 'SELECT a …'],
    ["SELECT /*!40001 SQL_NO_CACHE */ a FROM t /* it's */", 'SELECT a FROM t'],
    ["SELECT a /*! , 'x*/ secret' */", 'SELECT a …'],
    ["SELECT a -- b\0'\nFROM t", 'SELECT a …'],
  ])('of %j in MySQL is %j', (text, shape) => {
    expect(statementShape(text, 'mysql')).toBe(shape);
  });

  it('ends at a second statement, whatever that is', () => {
    fc.assert(
      fc.property(statement, fc.constantFrom('SET a = alice', 'LISTEN alice', "SELECT 'alice'", ';alice'), (first, second) => {
        const shape = statementShape(`${first}\n; ${second}`, 'postgres');
        expect(shape).toMatch(/LIMIT \?; …$/);
        expect(shape).not.toContain('alice');
      }),
      { numRuns: 300 },
    );
  });

  it('never throws, and is bounded, whatever it is given', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 400 }),
        fc.constantFrom('SELECT ', '', 'INSERT INTO t VALUES ('),
        (rest, first) => {
          for (const dialect of ['postgres', 'mysql'] as const) {
            expect(statementShape(first + rest, dialect).length).toBeLessThanOrEqual(MAX_SHAPE_LENGTH);
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ["SELECT * FROM orders WHERE id IN (7, 8) AND mail = 'a@b.c' -- who", 'SELECT * FROM orders WHERE id IN (?) AND mail = ?'],
    ["INSERT INTO t (a, b) VALUES ($1, 'it''s'), (2, E'\\'x') RETURNING id", 'INSERT INTO t(a, b) VALUES (?) RETURNING id'],
    [
      'select count(*) from orders /* a /* nested */ one */ where x::int = -5.2e3',
      'select count(*) from orders where x::int = - ?',
    ],
    ['UPDATE t SET a = $1, b = true WHERE c IS NULL;', 'UPDATE t SET a = ?, b = ? WHERE c IS NULL;'],
    ['SELECT ARRAY[1, 2, 3], a[1] FROM t', 'SELECT ARRAY[?], a[?] FROM t'],
    ["SELECT 'a\\' , 'b'", 'SELECT ? …'],
    ['SELECT a FROM "no end', 'SELECT a FROM …'],
    ['SELECT 1; SET app.user = alice_smith', 'SELECT ?; …'],
    ['SELECT 1; -- done', 'SELECT ?;'],
    ["SET app.user TO 'bob'", 'SET'],
    ['SAVEPOINT user_17', 'SAVEPOINT'],
    ['CREATE DATABASE customer_17', 'CREATE DATABASE'],
    ['hunter2', '(statement)'],
    ['', '(statement)'],
  ])('of %j is %j', (text, shape) => {
    expect(statementShape(text, 'postgres')).toBe(shape);
  });

  it('takes what is between double quotes for a name in Postgres, and for a value in MySQL', () => {
    expect(statementShape('SELECT "a" FROM `t` # b', 'mysql')).toBe('SELECT ? FROM `t`');
    expect(statementShape('SELECT "a" FROM t', 'postgres')).toBe('SELECT "a" FROM t');
  });

  it('is cut at 200 characters, and reads no more than 8,192 of a statement', () => {
    const columns = (count: number) => `SELECT ${'a'.repeat(count)} FROM t`;
    expect(statementShape(columns(MAX_SHAPE_LENGTH - 14), 'postgres')).toHaveLength(MAX_SHAPE_LENGTH);
    expect(statementShape(columns(MAX_SHAPE_LENGTH - 13), 'postgres')).toMatch(/^SELECT a{187} FRO …$/);
    expect(statementShape(`SELECT 1 WHERE id IN (${'1, '.repeat(100_000)}1)`, 'postgres')).toMatch(
      /^SELECT \? WHERE id IN \(\?,? …$/,
    );
  });

  it('is remembered for the statements that come again', () => {
    const shapes = new StatementShapes('postgres');
    for (let at = 0; at < 3_000; at += 1) expect(shapes.shapeOf(`SELECT ${at}`)).toBe('SELECT ?');
    expect(shapes.shapeOf(`SELECT ${'1 + '.repeat(1_000)}1`)).toMatch(/^SELECT \? \+/);
  });
});
