// Characters that draw nothing or reorder what follows them: controls, bidirectional marks, zero-width characters.
const INVISIBLE = /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

/**
 * A name from a profile as it is shown: text only, with invisible characters made visible, so that
 * two names that differ look different and none can reorder the line it stands in.
 */
export function visibleText(name: string): string {
  return name.replace(INVISIBLE, (character) => {
    return `⟨U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}⟩`;
  });
}

/** The first characters of a revision, as everyone writes a SHA; other names stay whole. */
export function shortRevision(revision: string): string {
  return /^[0-9a-f]{12,64}$/.test(revision) ? revision.slice(0, 8) : visibleText(revision);
}
