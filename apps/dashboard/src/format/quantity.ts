/**
 * The one formatter. Every figure of every page comes through here, so the list, the graph and the
 * tooltip cannot write the same value in two ways.
 */

/** Shown where a figure is not known. */
export const UNKNOWN = '–';
/** Keeps a figure and its unit on one line. */
const NARROW_SPACE = '\u202f';
const MINUS = '\u2212';

/** How one column or axis writes its values: all in one unit, so that they can be compared by eye. */
export interface Scale {
  /** Goes into the header; '' for plain counts. */
  readonly unit: string;
  /** Values are divided by this before they are written. */
  readonly divisor: number;
}

const STEPS: Record<string, readonly Scale[]> = {
  microseconds: [
    { unit: 'µs', divisor: 1 },
    { unit: 'ms', divisor: 1e3 },
    { unit: 's', divisor: 1e6 },
    { unit: 'min', divisor: 60e6 },
    { unit: 'h', divisor: 3600e6 },
  ],
  nanoseconds: [
    { unit: 'ns', divisor: 1 },
    { unit: 'µs', divisor: 1e3 },
    { unit: 'ms', divisor: 1e6 },
    { unit: 's', divisor: 1e9 },
    { unit: 'min', divisor: 60e9 },
  ],
  bytes: [
    { unit: 'B', divisor: 1 },
    { unit: 'KiB', divisor: 1024 },
    { unit: 'MiB', divisor: 1024 ** 2 },
    { unit: 'GiB', divisor: 1024 ** 3 },
    { unit: 'TiB', divisor: 1024 ** 4 },
  ],
  count: [
    { unit: '', divisor: 1 },
    { unit: 'k', divisor: 1e3 },
    { unit: 'M', divisor: 1e6 },
    { unit: 'G', divisor: 1e9 },
  ],
};

/** Minutes and hours only once a value has several of them: 90 s reads better than 1.5 min. */
const ENOUGH: Record<string, number> = { min: 3, h: 3, k: 10 };

/**
 * The scale in which `magnitude` reads best.
 *
 * @param unit `microseconds`, `nanoseconds`, `bytes`, `count`, `objects`, `samples`; any other is written as it is.
 * @param magnitude The largest value of the column, or the value itself.
 */
export function scaleFor(unit: string, magnitude: number): Scale {
  const steps = STEPS[unit === 'objects' || unit === 'samples' ? 'count' : unit];
  if (steps === undefined) return { unit, divisor: 1 };
  const size = Math.abs(magnitude);
  let best = steps[0]!;
  for (const step of steps) if (size >= step.divisor * (ENOUGH[step.unit] ?? 1)) best = step;
  return best;
}

/** The value without its unit, which stands in the header. Three figures, never fewer than the whole number. `null`: not known. */
export function formatIn(scale: Scale, value: number | null | undefined): string {
  if (value === null || value === undefined) return UNKNOWN;
  // Divided values keep their decimals even when they come out whole, or `12` would stand among `14.5` and `9.80`.
  return formatNumber(value / scale.divisor, scale.divisor === 1 ? 'short' : 'even');
}

/** The value with its unit, each in the scale that suits it. */
export function formatQuantity(value: number | null | undefined, unit: string): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return UNKNOWN;
  const scale = scaleFor(unit, value);
  const figure = formatNumber(value / scale.divisor);
  return scale.unit === '' ? figure : `${figure}${NARROW_SPACE}${scale.unit}`;
}

/** As `formatQuantity`, with a sign even when the value rises. */
export function formatDelta(value: number | null | undefined, unit: string): string {
  const text = formatQuantity(value, unit);
  return typeof value === 'number' && value > 0 && text !== '0' ? `+${text}` : text;
}

/** Three significant figures below a thousand, grouped whole numbers above. `short`: a whole number has no decimals. */
export function formatNumber(value: number, decimalsOfWhole: 'short' | 'even' = 'short'): string {
  if (!Number.isFinite(value)) return UNKNOWN;
  const size = Math.abs(value);
  if (size === 0) return '0';
  const decimals = size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : size >= 0.0005 ? 3 : 0;
  if (decimals === 0 && size < 0.0005) return value < 0 ? `>${MINUS}0.001` : '<0.001';
  const text = size.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  const short = decimalsOfWhole === 'short' && Number.isInteger(size) ? size.toLocaleString('en-US') : text;
  return value < 0 ? MINUS + short : short;
}

/** A whole number, grouped by thousands. */
export function formatCount(value: number | null | undefined): string {
  return value === null || value === undefined ? UNKNOWN : Math.round(value).toLocaleString('en-US');
}

/** `share` of 1 as percent, without a sign: `12.3 %`. */
export function formatShare(share: number | null | undefined): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return UNKNOWN;
  return `${percentFigure(share * 100)}${NARROW_SPACE}%`;
}

/** A change in percent, always with its sign: `+12.3 %`, `−4.0 %`. */
export function formatChangePct(pct: number | null | undefined): string {
  if (pct === null || pct === undefined || !Number.isFinite(pct)) return UNKNOWN;
  return `${signed(pct)}${NARROW_SPACE}%`;
}

/** A closed interval in percent: `[+9.8, +15.1] %`. */
export function formatIntervalPct(interval: readonly [number, number] | null | undefined): string {
  if (!interval) return UNKNOWN;
  return `[${signed(interval[0])}, ${signed(interval[1])}]${NARROW_SPACE}%`;
}

/** A probability. Below one in a thousand only that is said. */
export function formatProbability(p: number | null | undefined): string {
  if (p === null || p === undefined) return UNKNOWN;
  if (p < 0.001) return '<\u202f0.001';
  return p.toFixed(3);
}

function signed(pct: number): string {
  const figure = percentFigure(Math.abs(pct));
  if (Number(figure) === 0) return figure;
  return (pct < 0 ? MINUS : '+') + figure;
}

function percentFigure(pct: number): string {
  const size = Math.abs(pct);
  if (size >= 1000) return Math.round(size).toLocaleString('en-US');
  return size.toFixed(size >= 99.95 ? 0 : 1);
}
