/** Stands for a NUL character, which PostgreSQL cannot store in text: the picture of one, so that it stays visible. */
const NUL_PICTURE = '\u2400';
/** Stands for half of a surrogate pair, which UTF-8 cannot express. */
const REPLACEMENT = '\uFFFD';

/** Surrogates without their other half: with the u flag a whole pair is no surrogate. */
const LONE_SURROGATE = /\p{Surrogate}/gu;

/** Without the u flag every half of a pair is one: most texts have nothing to look at twice. */
const SUSPECT = /[\0\uD800-\uDFFF]/;

/** The text as every store and every UTF-8 reader can hold it: NUL becomes U+2400 (its picture), a lone surrogate U+FFFD. Other text is returned as it is. */
export function storableText(text: string): string {
  if (!SUSPECT.test(text)) return text;
  return text.replaceAll('\0', NUL_PICTURE).replace(LONE_SURROGATE, REPLACEMENT);
}
