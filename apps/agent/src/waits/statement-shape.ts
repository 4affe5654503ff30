import { flatText } from './flat-text.js';

/** How a database quotes: what MySQL takes for a text between double quotes is a name for Postgres. */
export type SqlDialect = 'postgres' | 'mysql';

/** Characters of a shape; the rest becomes an ellipsis. */
export const MAX_SHAPE_LENGTH = 200;
/** Characters of a statement that are looked at. */
const MAX_READ_LENGTH = 8_192;
/** Statements whose shape is remembered, and how long they may be. */
const MAX_REMEMBERED = 1_000;
const MAX_REMEMBERED_LENGTH = 2_000;
const CUT = ' …';

/** Statements whose names are the application's own, and few: they are shown whole. */
const SHOWN_WHOLE = new Set(['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'WITH', 'MERGE', 'VALUES', 'REPLACE', 'CALL', '(']);
/** Of these two words are shown, `CREATE TABLE`: what follows may be the name of anything. */
const SHOWN_BY_TWO_WORDS = new Set(['CREATE', 'ALTER', 'DROP', 'REFRESH']);
/** Of these the first word: savepoints, channels and settings are named by programs, and hold values that nothing quotes. */
const SHOWN_BY_ONE_WORD = new Set(
  `BEGIN START COMMIT END ROLLBACK ABORT SAVEPOINT RELEASE SET RESET SHOW LISTEN UNLISTEN NOTIFY COPY PREPARE EXECUTE DEALLOCATE DECLARE FETCH
  MOVE CLOSE DISCARD TRUNCATE VACUUM ANALYZE ANALYSE EXPLAIN LOCK UNLOCK GRANT REVOKE COMMENT REINDEX CLUSTER CHECKPOINT DO USE KILL LOAD`.split(
    /\s+/,
  ),
);

/**
 * A statement without its values: literals and parameters become `?`, lists of them one `(?)`, comments go. It holds nothing but words,
 * operators and names, so a value that is put into the text is no part of it, however it is quoted; where that cannot be told for
 * sure, the shape ends there; so it does at a second statement.
 *
 *     SELECT * FROM orders WHERE id IN (7, 8) AND mail = 'a@b.c' -- who     SELECT * FROM orders WHERE id IN (?) AND mail = ?
 */
export class StatementShapes {
  readonly #dialect: SqlDialect;
  #shapes = new Map<string, string>();

  constructor(dialect: SqlDialect) {
    this.#dialect = dialect;
  }

  shapeOf(statement: string): string {
    if (statement.length > MAX_REMEMBERED_LENGTH) return statementShape(statement, this.#dialect);
    let shape = this.#shapes.get(statement);
    if (shape === undefined) {
      if (this.#shapes.size >= MAX_REMEMBERED) this.#shapes = new Map(); // texts with their values in them are never seen again
      shape = flatText(statementShape(statement, this.#dialect));
      this.#shapes.set(flatText(statement), shape); // it may be cut out of a file of statements
    }
    return shape;
  }
}

/** Costs time in proportion to the statement's length, up to 8,192 characters. */
export function statementShape(statement: string, dialect: SqlDialect): string {
  const tokens = new Tokens(statement.slice(0, MAX_READ_LENGTH), dialect);
  const first = tokens.next();
  const keyword = first?.toUpperCase() ?? '';
  if (SHOWN_WHOLE.has(keyword)) return wholeShape(first!, tokens, statement.length > MAX_READ_LENGTH);
  if (SHOWN_BY_TWO_WORDS.has(keyword)) {
    const second = tokens.next()?.toUpperCase() ?? '';
    return /^[A-Z]+$/.test(second) && second.length <= 20 ? `${keyword} ${second}` : keyword;
  }
  return SHOWN_BY_ONE_WORD.has(keyword) ? keyword : '(statement)';
}

function wholeShape(first: string, tokens: Tokens, isLong: boolean): string {
  const shape: string[] = [first];
  let length = first.length;
  let isMore = isLong;
  for (let token = tokens.next(); token !== undefined; token = tokens.next()) {
    length += token.length + 1;
    shape.push(token);
    if (token === ';') {
      isMore ||= tokens.next() !== undefined; // another statement: its first word may be one that shows nothing more
      break;
    }
    length -= foldList(shape);
    if (length > MAX_SHAPE_LENGTH * 2) break; // spacing takes some out again
  }
  const text = spaced(shape);
  if (text.length > MAX_SHAPE_LENGTH) return `${text.slice(0, MAX_SHAPE_LENGTH - CUT.length)}${CUT}`;
  return isMore || tokens.isUnsure ? `${text}${CUT}` : text;
}

/** Takes lists of values together at the end: `?, ?` is `?`, and `(?), (?)` is `(?)`. @returns Characters taken away. */
function foldList(shape: string[]): number {
  if (endsWith(shape, VALUE_AND_VALUE)) {
    shape.length -= 2;
    return 4;
  }
  if (endsWith(shape, ROW_AND_ROW)) {
    shape.length -= 4;
    return 8;
  }
  return 0;
}

const VALUE_AND_VALUE = ['?', ',', '?'];
const ROW_AND_ROW = ['(', '?', ')', ',', '(', '?', ')'];

function endsWith(shape: readonly string[], end: readonly string[]): boolean {
  const from = shape.length - end.length;
  for (let at = end.length - 1; at >= 0; at -= 1) if (shape[from + at] !== end[at]) return false;
  return true;
}

/** Words that are no function though brackets follow. */
const BEFORE_BRACKETS = new Set(
  `ALL AND ANY AS BETWEEN BY CASE CONFLICT DISTINCT ELSE EXCEPT EXISTS FILTER FROM HAVING IN INTERSECT INTO IS JOIN KEY LATERAL LIKE LIMIT MATERIALIZED
  NOT OFFSET ON OR OVER RETURNING SELECT SET SOME THEN UNION USING VALUES WHEN WHERE WITH WITHIN`.split(/\s+/),
);

/** No space inside brackets, before a comma or around a dot. */
function spaced(tokens: readonly string[]): string {
  let text = '';
  let before = '';
  for (const token of tokens) {
    const isTight = text === '' || /^[),.;\]]$/.test(token) || /^[(.[]$/.test(before) || token === '::' || before === '::';
    const isCall = token === '(' && /^[\w"`]/.test(before) && !BEFORE_BRACKETS.has(before.toUpperCase()); // count(*), but IN (?)
    text += isTight || isCall || (token === '[' && before !== '') ? token : ` ${token}`;
    before = token;
  }
  return text;
}

const SPACE = /\s+/y;
/** The word that most words are; where it is not followed by one of these, there may be more of it. */
const ASCII_WORD = /[a-z_][\w$]*(?=[\s(),.;=:<>[\]]|$)/iy;
const SINGLE = new Set(['(', ')', ',', '.', ';', '+', '%', '[', ']']);
/**
 * Where a comment begins and ends each server says in a way of its own, and who reads it in the other's takes what is quoted for what is not. So each reads its own dialect's only, and what
 * MySQL may read in two ways is no token: the shape ends there. That is a character that is a space in some character sets only, behind `--`, NUL, which ends a comment, and a comment
 * that some versions run, where its end may be within quotes.
 */
const LINE_COMMENT = { postgres: /--[^\n\r]*/y, mysql: /(?:--(?=[\0-\x20\x7f]|$)|#)[^\n\0]*/y };
const PERHAPS_COMMENT = /--[\x80-\uffff]|\/\*M?!(?![\w\s.,=()]*\*\/)/y;
/** What is left of it must go on as a word or number would, or `1a'` could be read in two ways. */
const NUMBER = /(?:0[xob][\da-f_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:e[+-]?\d+)?)[\w$]*/iy;
const PARAMETER = /\$\d+|\?\d*|:[a-z_]\w*|@\w+/iy;
const WORD = /[\p{L}_][\p{L}\p{N}\p{M}_$]*/uy;
const DOLLAR_QUOTE = /\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/uy;
const OPERATOR = /::|[<>=!]=|<>|\|\||->>?|#>>?|[-+*/<>=~!%^&|(),.;[\]{}:]/y;
/** Letters in front of a text that belong to it. In Postgres only `E` makes a backslash special for sure. */
const TEXT_PREFIX = /^[ebxnu]$/i;
const TRUTH = /^(?:true|false)$/i;

/** Reads one statement token by token; every value is the token `?`. */
class Tokens {
  readonly #text: string;
  readonly #dialect: SqlDialect;
  #at = 0;
  /** The text could be read in two ways: nothing after it is read. */
  isUnsure = false;

  constructor(text: string, dialect: SqlDialect) {
    this.#text = text;
    this.#dialect = dialect;
  }

  next(): string | undefined {
    while (this.#at < this.#text.length && !this.isUnsure) {
      // First what most of a statement is made of, one comparison each: regular expressions would cost six times as much.
      const character = this.#text[this.#at]!;
      if (character === ' ') {
        this.#at += 1;
        continue;
      }
      if (SINGLE.has(character) && !(character === '.' && isDigit(this.#text[this.#at + 1]))) {
        this.#at += 1;
        return character;
      }
      const word = this.#match(ASCII_WORD);
      if (word !== undefined) return TRUTH.test(word) ? '?' : word;
      if (this.#match(SPACE) !== undefined || this.#skipComment()) continue;
      return this.#quoted() ?? this.#plain();
    }
    return undefined;
  }

  #plain(): string | undefined {
    if (this.#match(NUMBER) !== undefined) return '?';
    if (this.#dialect === 'postgres') {
      const dollars = this.#match(DOLLAR_QUOTE);
      if (dollars !== undefined) return this.#skipTo(dollars);
    }
    const word = this.#match(WORD);
    if (word !== undefined) return this.#afterWord(word);
    const operator = this.#text.startsWith('::', this.#at) ? this.#match(OPERATOR) : undefined;
    if (operator !== undefined) return operator;
    if (this.#match(PARAMETER) !== undefined) return '?';
    return this.#match(OPERATOR) ?? this.#giveUp();
  }

  /** A word may be the beginning of a text: `E'\''`. */
  #afterWord(word: string): string | undefined {
    const isLiteral = TEXT_PREFIX.test(word) && (this.#text[this.#at] === "'" || this.#text.startsWith("&'", this.#at));
    if (isLiteral) {
      if (this.#text[this.#at] === '&') this.#at += 1;
      return this.#literal("'", /^e$/i.test(word) ? 'escapes' : 'unknown');
    }
    return TRUTH.test(word) ? '?' : word;
  }

  #quoted(): string | undefined {
    const quote = this.#text[this.#at];
    if (quote === "'") return this.#literal("'", 'unknown');
    if (quote === '"' && this.#dialect === 'mysql') return this.#literal('"', 'unknown');
    if (quote === '"' || quote === '`') return this.#name(quote);
    return undefined;
  }

  /**
   * @param backslash - `unknown`: a setting of the server says whether it escapes a quote behind it. Where there is one, nobody knows where the text ends.
   */
  #literal(quote: string, backslash: 'escapes' | 'unknown'): string | undefined {
    let at = this.#at + 1;
    for (; at < this.#text.length; at += 1) {
      const character = this.#text[at];
      if (character === '\\') {
        const run = backslashesAt(this.#text, at);
        if (backslash === 'unknown' && run % 2 === 1 && this.#text[at + run] === quote) return this.#giveUp('?');
        at += backslash === 'escapes' && run % 2 === 1 ? run : run - 1;
      } else if (character === quote) {
        if (this.#text[at + 1] !== quote) break;
        at += 1; // doubled: one of its characters
      }
    }
    this.#at = at + 1;
    return '?';
  }

  #name(quote: string): string | undefined {
    const from = this.#at;
    let at = from + 1;
    for (; at < this.#text.length; at += 1) {
      if (this.#text[at] !== quote) continue;
      if (this.#text[at + 1] !== quote) break;
      at += 1;
    }
    if (at >= this.#text.length) return this.#giveUp(); // no end: whatever it is
    this.#at = at + 1;
    return this.#text.slice(from, this.#at);
  }

  #skipComment(): boolean {
    const character = this.#text[this.#at]!;
    if (character !== '-' && character !== '/' && character !== '#') return false;
    if (this.#match(LINE_COMMENT[this.#dialect]) !== undefined) return true;
    if (this.#dialect === 'mysql' && this.#match(PERHAPS_COMMENT) !== undefined) {
      this.isUnsure = true;
      return true;
    }
    if (!this.#text.startsWith('/*', this.#at)) return false;
    let depth = 0;
    for (; this.#at < this.#text.length; this.#at += 1) {
      if (this.#text.startsWith('/*', this.#at)) {
        depth = this.#dialect === 'postgres' ? depth + 1 : 1; // in Postgres they nest
        this.#at += 1;
      } else if (this.#text.startsWith('*/', this.#at)) {
        depth -= 1;
        this.#at += 1;
        if (depth === 0) break;
      }
    }
    this.#at += 1;
    return true;
  }

  #skipTo(end: string): string {
    const at = this.#text.indexOf(end, this.#at);
    this.#at = at < 0 ? this.#text.length : at + end.length;
    return '?';
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at = pattern.lastIndex;
    return found;
  }

  /** @param last - What is still known. */
  #giveUp(last?: string): string | undefined {
    this.isUnsure = true;
    return last;
  }
}

function isDigit(character: string | undefined): boolean {
  return character !== undefined && character >= '0' && character <= '9';
}

function backslashesAt(text: string, from: number): number {
  let at = from;
  while (text[at] === '\\') at += 1;
  return at - from;
}
