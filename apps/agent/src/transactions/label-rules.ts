import { createHmac } from 'node:crypto';

/** Names of labels, each exact or, with `*` at its end, all that begin so. */
export interface LabelRuleSettings {
  /** `undefined`: all. */
  readonly allow: readonly string[] | undefined;
  readonly redact: readonly string[];
  readonly hash: readonly string[];
}

type Rule = 'send' | 'leave-out' | 'redact' | 'hash';

export const REDACTED = '(redacted)';
/** Names whose rule is remembered. */
const MAX_REMEMBERED = 1_000;
/** Characters of a value that make its hash; its length does too. */
const MAX_HASHED_LENGTH = 4_096;
const HASH_LENGTH = 16;

/** What may be sent of the labels, inputs and context that the host gives. */
export class LabelRules {
  readonly settings: LabelRuleSettings;
  readonly #key: string;
  readonly #ruleOf = new Map<string, Rule>();

  /** @param key - Who does not know it cannot find out a value by hashing guesses. */
  constructor(settings: LabelRuleSettings, key: string) {
    this.settings = settings;
    this.#key = key;
  }

  /** @param value - As it was given, not cut. @returns What is sent in its place; `undefined`: nothing. */
  apply(name: string, value: string): string | undefined {
    switch (this.#rule(name)) {
      case 'send':
        return value;
      case 'leave-out':
        return undefined;
      case 'redact':
        return REDACTED;
      case 'hash':
        return this.#hash(value);
    }
  }

  #rule(name: string): Rule {
    const known = this.#ruleOf.get(name);
    if (known !== undefined) return known;
    const { allow, redact, hash } = this.settings;
    const rule = !(allow === undefined || matches(allow, name))
      ? 'leave-out'
      : matches(redact, name)
        ? 'redact'
        : matches(hash, name)
          ? 'hash'
          : 'send';
    if (this.#ruleOf.size < MAX_REMEMBERED) this.#ruleOf.set(name, rule);
    return rule;
  }

  /** The same for one value in all labels that are made with this key, so that they can be told to be the same. */
  #hash(value: string): string {
    const text = `${value.length}\0${value.slice(0, MAX_HASHED_LENGTH)}`;
    return createHmac('sha256', this.#key).update(text).digest('hex').slice(0, HASH_LENGTH);
  }
}

function matches(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern));
}
