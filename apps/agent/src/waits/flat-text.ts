/**
 * The same text in memory of its own. What V8 cuts out of a text, or puts together, keeps the whole of it alive: a word of a statement would keep the
 * statement, with its values.
 */
export function flatText(text: string): string {
  const encoding = /\p{Surrogate}/u.test(text) ? 'utf16le' : 'utf8'; // half a pair has no UTF-8
  return Buffer.from(text, encoding).toString(encoding);
}
