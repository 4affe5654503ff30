/** Times of day are those of the reader's clock; the text says so once, in the time picker. */
const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

/** `14:02:31`. */
export function formatClock(atMs: number): string {
  return CLOCK.format(atMs);
}

/** `20 Nov 14:02:31`. */
export function formatMoment(atMs: number): string {
  return `${DAY.format(atMs)} ${CLOCK.format(atMs)}`;
}

/** `20 Nov 14:02:31 – 15:02:31`; the day is repeated only when it differs. */
export function formatRange(fromMs: number, untilMs: number): string {
  const until = DAY.format(fromMs) === DAY.format(untilMs) ? formatClock(untilMs) : formatMoment(untilMs);
  return `${formatMoment(fromMs)} – ${until}`;
}

/** `12 s`, `5 min`, `3 h`, `2 d`: whole units, for "seen … ago" and lengths of ranges. */
export function formatSpan(spanMs: number): string {
  const seconds = Math.max(0, spanMs) / 1000;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 36 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

const RELATIVE = /^now(?:-(\d{1,6})([smhd]))?$/;
const UNIT_MS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a time as the API writes it (`now`, `now-1h`, epoch milliseconds, RFC 3339). `undefined`: not a time. */
export function resolveTime(text: string, nowMs: number): number | undefined {
  const relative = RELATIVE.exec(text);
  if (relative) return nowMs - (relative[1] === undefined ? 0 : Number(relative[1]) * UNIT_MS[relative[2]!]!);
  const ms = /^\d{1,16}$/.test(text) ? Number(text) : Date.parse(text);
  return Number.isFinite(ms) ? ms : undefined;
}
