/** Members of a source map, at any depth, that are sent. */
const KEPT = ['version', 'sourceRoot', 'sources', 'names', 'mappings', 'sections', 'offset', 'line', 'column', 'map'] as const;
const NULL = Buffer.from('null');
const MAX_DEPTH = 64;
const MAX_KEY_BYTES = 200;
const MAX_LITERAL_BYTES = 32;
const LITERAL = /^(?:true|false|null|-?\d[\d.eE+-]*)$/;
/** Some servers put a line that begins so in front of JSON that scripts must not load. */
const GUARD = 0x29; // )
const MAX_GUARD_BYTES = 16;
const [QUOTE, COMMA, COLON, BACKSLASH, NEWLINE] = [0x22, 0x2c, 0x3a, 0x5c, 0x0a];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/** What comes next, or what it is in the middle of. */
type State =
  | 'start'
  | 'guard'
  | 'value'
  | 'first-value'
  | 'key'
  | 'first-key'
  | 'colon'
  | 'next'
  | 'in-text'
  | 'in-key'
  | 'in-literal'
  | 'end';

/**
 * A source map without the code in it, piece by piece as it is read: nothing of it is parsed into memory. What is no known member of a map, as
 * `sourcesContent`, is `null`.
 *
 *     {"version":3,"sources":["a.ts"],"sourcesContent":["secret"],"mappings":"AAAA"}
 *     {"version":3,"sources":["a.ts"],"sourcesContent":null,"mappings":"AAAA"}
 *
 * What is no JSON is an error: nobody knows what it holds.
 */
export class MapFilter {
  readonly #kept: ReadonlySet<string>;
  #state: State = 'start';
  /** Whether each list or object that is open is an object, the innermost last. */
  readonly #isObject: boolean[] = [];
  /** Depth at which the value began that is left out; -1: nothing is left out here. */
  #skippedDepth = -1;
  #isNextSkipped = false;
  /** The text so far ends in an odd number of backslashes. */
  #isEscaped = false;
  /** Of the key or literal that it is in. */
  #word = '';
  #guardBytes = 0;

  /** @param sources - `sent`: with `sourcesContent`. */
  constructor(sources: 'sent' | 'left-out') {
    this.#kept = new Set<string>(sources === 'sent' ? [...KEPT, 'sourcesContent'] : KEPT);
  }

  /** What is to be sent of the next piece: parts of `chunk`, not copies. @throws {Error} where it is no map */
  push(chunk: Buffer): Buffer[] {
    const parts: Buffer[] = [];
    let from = 0; // of what is kept and not in `parts` yet
    const keepUntil = (at: number): void => {
      if (this.#skippedDepth === -1 && at > from) parts.push(chunk.subarray(from, at));
      from = at;
    };
    const beginValue = (at: number): void => {
      if (!this.#isNextSkipped) return;
      keepUntil(at);
      this.#isNextSkipped = false;
      this.#skippedDepth = this.#isObject.length;
    };
    const endValue = (at: number): void => {
      const depth = this.#isObject.length;
      this.#state = depth === 0 ? 'end' : 'next';
      if (this.#skippedDepth !== depth) return;
      parts.push(NULL);
      this.#skippedDepth = -1;
      from = at;
    };
    let at = 0;
    while (at < chunk.length) {
      if (this.#state === 'in-text' || this.#state === 'in-key') {
        const end = this.#endOfText(chunk, at);
        if (this.#state === 'in-key' && this.#skippedDepth === -1) this.#addToWord(chunk, at, end ?? chunk.length, MAX_KEY_BYTES);
        if (end === undefined) break;
        at = end + 1;
        if (this.#state === 'in-text') endValue(at);
        else this.#endKey();
        continue;
      }
      const byte = chunk[at]!;
      if (this.#state === 'in-literal') {
        if (isOfLiteral(byte)) {
          this.#addToWord(chunk, at, at + 1, MAX_LITERAL_BYTES);
          at += 1;
          continue;
        }
        if (!LITERAL.test(this.#word)) throw noMap();
        endValue(at);
        continue;
      }
      if (this.#state === 'start' || this.#state === 'guard') {
        at += 1;
        if (!this.#begins(byte)) from = at;
        continue;
      }
      at += 1;
      if (isSpace(byte)) continue;
      switch (this.#state) {
        case 'first-value':
        case 'value':
          if (byte === CLOSE_LIST && this.#state === 'first-value') {
            this.#isObject.pop();
            endValue(at);
            break;
          }
          beginValue(at - 1);
          if (byte === QUOTE) this.#state = 'in-text';
          else if (byte === OPEN_OBJECT || byte === OPEN_LIST) this.#open(byte);
          else if (isOfLiteral(byte)) {
            this.#state = 'in-literal';
            this.#word = String.fromCharCode(byte);
          } else throw noMap();
          break;
        case 'first-key':
        case 'key':
          if (byte === CLOSE_OBJECT && this.#state === 'first-key') {
            this.#isObject.pop();
            endValue(at);
          } else if (byte === QUOTE) {
            this.#state = 'in-key';
            this.#word = '';
          } else throw noMap();
          break;
        case 'colon':
          if (byte !== COLON) throw noMap();
          this.#state = 'value';
          break;
        case 'next': {
          const isObject = this.#isObject.at(-1) === true;
          if (byte === COMMA) this.#state = isObject ? 'key' : 'value';
          else if (byte === (isObject ? CLOSE_OBJECT : CLOSE_LIST)) {
            this.#isObject.pop();
            endValue(at);
          } else throw noMap();
          break;
        }
        case 'end':
          throw noMap();
      }
    }
    keepUntil(chunk.length);
    return parts;
  }

  /** @throws {Error} where it has not ended */
  end(): void {
    if (this.#state !== 'end') throw noMap();
  }

  /** Whether the map, an object, begins with this byte. */
  #begins(byte: number): boolean {
    if (this.#state === 'guard') {
      this.#guardBytes += 1;
      if (byte === NEWLINE) this.#state = 'start';
      else if (this.#guardBytes > MAX_GUARD_BYTES) throw noMap();
    } else if (byte === OPEN_OBJECT) this.#open(byte);
    else if (byte === GUARD && this.#guardBytes === 0) this.#state = 'guard';
    else if (!isSpace(byte) && !BYTE_ORDER_MARK.includes(byte)) throw noMap();
    return byte === OPEN_OBJECT && this.#state === 'first-key';
  }

  #open(byte: number): void {
    if (this.#isObject.length >= MAX_DEPTH) throw noMap();
    this.#isObject.push(byte === OPEN_OBJECT);
    this.#state = byte === OPEN_OBJECT ? 'first-key' : 'first-value';
  }

  /** Where the quote is that ends it; `undefined`: not in this piece. */
  #endOfText(chunk: Buffer, from: number): number | undefined {
    for (let quote = chunk.indexOf(QUOTE, from); ; quote = chunk.indexOf(QUOTE, quote + 1)) {
      const end = quote === -1 ? chunk.length : quote;
      let start = end;
      while (start > from && chunk[start - 1] === BACKSLASH) start -= 1;
      const isEscaped = ((end - start) % 2 === 1) !== (start === from && this.#isEscaped);
      if (quote === -1) {
        this.#isEscaped = isEscaped;
        return undefined;
      }
      if (!isEscaped) {
        this.#isEscaped = false;
        return quote;
      }
      // The quote is part of the text, and so are the backslashes before it.
      this.#isEscaped = false;
      from = quote + 1;
    }
  }

  #endKey(): void {
    this.#state = 'colon';
    if (this.#skippedDepth !== -1) return;
    this.#isNextSkipped = !this.#kept.has(JSON.parse(`"${this.#word}"`) as string); // escapes may spell it too
  }

  #addToWord(chunk: Buffer, from: number, until: number, maxBytes: number): void {
    if (this.#word.length + until - from > maxBytes) throw noMap();
    this.#word += chunk.toString('latin1', from, until);
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === NEWLINE || byte === 0x0d || byte === 0x09;
}

/** Of `true`, `false`, `null` and numbers. */
function isOfLiteral(byte: number): boolean {
  return (
    (byte >= 0x61 && byte <= 0x7a) ||
    (byte >= 0x30 && byte <= 0x39) ||
    byte === 0x2d ||
    byte === 0x2b ||
    byte === 0x2e ||
    byte === 0x45
  );
}

const noMap = (): Error => new Error('it is no JSON of a source map');
