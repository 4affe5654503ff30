/** A part of a run, in microseconds from its start. */
export interface RunView {
  readonly from: number;
  readonly to: number;
}

/** As the URL holds it: `12000-45000`. What makes no sense there shows all of the run. */
export function readRunView(text: string, durationMicros: number): RunView {
  const whole = { from: 0, to: Math.max(1, durationMicros) };
  const [, from, to] = /^(\d{1,15})-(\d{1,15})$/.exec(text) ?? [];
  if (from === undefined || to === undefined) return whole;
  const view = { from: Number(from), to: Math.min(whole.to, Number(to)) };
  return view.from < view.to ? view : whole;
}

/** '' for all of it. */
export function runViewText({ from, to }: RunView, durationMicros: number): string {
  return from <= 0 && to >= durationMicros ? '' : `${Math.floor(from)}-${Math.ceil(to)}`;
}

/** What shows a part of time: it has a width, also of what took none. */
export function viewOf(startMicros: number, durationMicros: number): RunView {
  return { from: startMicros, to: startMicros + Math.max(1, durationMicros) };
}

/** Where a part of time is within a view, in percent of its width; `undefined`: not in it. */
export function placeIn(
  { from, to }: RunView,
  startMicros: number,
  durationMicros: number,
): { left: number; width: number } | undefined {
  const end = startMicros + durationMicros;
  if (end < from || startMicros > to) return undefined;
  const percent = 100 / (to - from);
  const left = (Math.max(from, startMicros) - from) * percent;
  return { left, width: Math.max(0, (Math.min(to, end) - from) * percent - left) };
}

const MOST_TICKS = 9;

/** Round times within a view, evenly apart. */
export function ticksOf({ from, to }: RunView): number[] {
  const least = (to - from) / MOST_TICKS;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = Math.max(
    1,
    [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= least)!,
  );
  const ticks = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) ticks.push(at);
  return ticks;
}
