import { RE2JS } from 're2js';
import { ProfileError } from './errors.js';
import type { LabelSet } from './label-set.js';
import { labelValue } from './label-set.js';

/** `=` equal, `!=` not equal, `=~` matches the pattern as a whole, `!~` does not. */
export type LabelMatcherOperator = '=' | '!=' | '=~' | '!~';

/** One condition on one label. Plain data: it may be sent to another thread. */
export interface LabelMatcher {
  readonly name: string;
  readonly operator: LabelMatcherOperator;
  /** A value, or an RE2 pattern for `=~` and `!~`. */
  readonly value: string;
}

const BARE_NAME = /[A-Za-z_][\w.\-/]*/y;
const OPERATOR = /=~|!~|!=|=/y;
/** "…" with the escapes of ESCAPED, or `…` in which a backslash is a backslash. */
const QUOTED = /"(?:[^"\\\n]|\\.)*"|`[^`]*`/y;
const SPACE = /\s*/y;
const ESCAPED: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', n: '\n', t: '\t', r: '\r' };

/**
 * Reads `{plan="pro",pod=~"a.*"}`, the matchers of Prometheus. The braces and a last comma may be left out; a name with other characters
 * than letters, digits and `_ . - /` is written in quotes. Patterns are RE2's: matched in time linear in the value, always as a whole.
 *
 * @returns `[]` for `''` and `{}`: every label set matches.
 * @throws {ProfileError} `LABEL_MATCHER`
 */
export function parseLabelMatchers(text: string): LabelMatcher[] {
  const trimmed = text.trim();
  const hasBraces = trimmed.startsWith('{') && trimmed.endsWith('}');
  const source = hasBraces ? trimmed.slice(1, -1) : trimmed;
  const matchers: LabelMatcher[] = [];
  let at = 0;

  const take = (pattern: RegExp): string | undefined => {
    SPACE.lastIndex = at;
    SPACE.exec(source);
    pattern.lastIndex = SPACE.lastIndex;
    const found = pattern.exec(source)?.[0];
    at = found === undefined ? SPACE.lastIndex : pattern.lastIndex;
    return found;
  };
  const expected = (what: string): ProfileError =>
    new ProfileError('LABEL_MATCHER', `expected ${what} at character ${at + 1} of ${JSON.stringify(source.slice(0, 200))}`);

  while (true) {
    take(SPACE);
    if (at >= source.length) return matchers;
    const quotedName = take(QUOTED);
    const name = quotedName === undefined ? take(BARE_NAME) : unquote(quotedName);
    if (name === undefined || name === '') throw expected('a label name');
    const operator = take(OPERATOR) as LabelMatcherOperator | undefined;
    if (operator === undefined) throw expected('one of = != =~ !~');
    const quoted = take(QUOTED);
    if (quoted === undefined) throw expected('a value in quotes');
    const matcher: LabelMatcher = { name, operator, value: unquote(quoted) };
    if (operator === '=~' || operator === '!~') patternOf(matcher);
    matchers.push(matcher);
    if (take(/,/y) === undefined) {
      take(SPACE);
      if (at < source.length) throw expected('a comma');
    }
  }
}

/** Whether all matchers hold. A label that the set does not have counts as `''`. @throws {ProfileError} `LABEL_MATCHER` for a bad pattern */
export function matchesLabels(labels: LabelSet, matchers: readonly LabelMatcher[]): boolean {
  return matchers.every((matcher) => matchesValue(labelValue(labels, matcher.name) ?? '', matcher));
}

function matchesValue(value: string, matcher: LabelMatcher): boolean {
  switch (matcher.operator) {
    case '=':
      return value === matcher.value;
    case '!=':
      return value !== matcher.value;
    case '=~':
      return patternOf(matcher).testExact(value);
    case '!~':
      return !patternOf(matcher).testExact(value);
  }
}

/** One matcher meets many label sets: its pattern is compiled once. */
const patterns = new WeakMap<LabelMatcher, RE2JS>();

function patternOf(matcher: LabelMatcher): RE2JS {
  let pattern = patterns.get(matcher);
  if (pattern === undefined) {
    try {
      // A line break is a character like any other, as in Prometheus.
      pattern = RE2JS.compile(matcher.value, RE2JS.DOTALL);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new ProfileError('LABEL_MATCHER', `pattern of label "${matcher.name.slice(0, 80)}": ${reason.slice(0, 200)}`, {
        cause: error,
      });
    }
    patterns.set(matcher, pattern);
  }
  return pattern;
}

function unquote(quoted: string): string {
  const inner = quoted.slice(1, -1);
  if (quoted.startsWith('`')) return inner;
  return inner.replace(/\\(.)/g, (_, character: string) => {
    const plain = ESCAPED[character];
    if (plain === undefined)
      throw new ProfileError('LABEL_MATCHER', `unknown escape \\${character}; write \\\\${character}, or the value in backticks`);
    return plain;
  });
}
