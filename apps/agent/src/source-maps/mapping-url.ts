const MARK = 'sourceMappingURL=';
/** Of comments behind it. */
const MAX_BEHIND = 4_096;

/** What the last comment `//# sourceMappingURL=` of a script says, where only comments follow: else it is a text of the program. @param code - Its end is enough. */
export function mappingUrl(code: Buffer): string | undefined {
  const at = code.lastIndexOf(MARK);
  if (at === -1 || !/\/[/*][#@][ \t]*$/.test(code.toString('latin1', Math.max(0, at - 8), at))) return undefined;
  const end = code.toString('utf8', at + MARK.length);
  const url = /^[^\s'"*]+/.exec(end)?.[0];
  if (url === undefined) return undefined;
  const behind = end.slice(url.length);
  if (behind.length > MAX_BEHIND) return undefined;
  return behind.split('\n').every((line) => /^\s*(?:\*\/\s*)?(?:\/\/|$)/.test(line)) ? url : undefined;
}

export function isElsewhere(url: string): boolean {
  return /^[a-z][a-z0-9+.-]+:/i.test(url);
}

/** The map in a `data:` URL. */
export function inlineMap(url: string): Buffer | undefined {
  const comma = url.indexOf(',');
  if (comma === -1) return undefined;
  const data = url.slice(comma + 1);
  return /;base64$/i.test(url.slice(0, comma)) ? Buffer.from(data, 'base64') : Buffer.from(decodedUrl(data));
}

export function decodedUrl(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
