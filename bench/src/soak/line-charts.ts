export interface LineChart {
  readonly title: string;
  /** Each of at most two: the first is drawn in front. */
  readonly lines: readonly { readonly name: string; readonly values: readonly number[] }[];
}

const WIDTH = 900;
const COLUMNS = 2;
const PANEL = { width: WIDTH / COLUMNS, height: 190, left: 52, right: 18, top: 44, bottom: 26 };
const TICKS = 4;

/** Small charts over one time axis as an SVG that is legible on light and on dark pages. @param minutes - Of each value, ascending. */
export function lineChartsSvg(caption: string, minutes: readonly number[], charts: readonly LineChart[]): string {
  const height = 34 + Math.ceil(charts.length / COLUMNS) * PANEL.height;
  const panels = charts.map((chart, at) => {
    const [x, y] = [(at % COLUMNS) * PANEL.width, 34 + Math.floor(at / COLUMNS) * PANEL.height];
    return `<g transform="translate(${x} ${y})">${panelSvg(chart, minutes)}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(caption)}">
<style>
  text { font: 11px system-ui, sans-serif; fill: #52514e; }
  .caption, .title { fill: #1a1a19; font-weight: 600; }
  .title { font-size: 12px; }
  .ground { fill: #fcfcfb; }
  .grid { stroke: #e4e3df; }
  .line { fill: none; stroke-width: 1.5; stroke-linejoin: round; }
  .a { stroke: #2a6fdb; } .key.a { fill: #2a6fdb; stroke: none; }
  .b { stroke: #c2540a; } .key.b { fill: #c2540a; stroke: none; }
  @media (prefers-color-scheme: dark) {
    text { fill: #b5b4ae; }
    .caption, .title { fill: #f2f1ec; }
    .ground { fill: #1a1a19; }
    .grid { stroke: #3a3936; }
    .a { stroke: #6ea3f5; } .key.a { fill: #6ea3f5; }
    .b { stroke: #f0924e; } .key.b { fill: #f0924e; }
  }
</style>
<rect class="ground" width="${WIDTH}" height="${height}"/>
<text class="caption" x="12" y="20">${escaped(caption)}</text>
${panels.join('\n')}
</svg>
`;
}

function panelSvg({ title, lines }: LineChart, minutes: readonly number[]): string {
  const [left, right, top, bottom] = [PANEL.left, PANEL.width - PANEL.right, PANEL.top, PANEL.height - PANEL.bottom];
  const highest = Math.max(0, ...lines.flatMap(({ values }) => values.filter(Number.isFinite)));
  const step = niceStep(highest / TICKS);
  const ceiling = Math.max(step, Math.ceil(highest / step) * step);
  const lastMinute = Math.max(minutes.at(-1) ?? 0, 1e-9);
  const x = (minute: number) => left + (minute / lastMinute) * (right - left);
  const y = (value: number) => bottom - (value / ceiling) * (bottom - top);
  const parts = [`<text class="title" x="12" y="16">${escaped(title)}</text>`];
  for (let value = 0; value <= ceiling * 1.0001; value += step)
    parts.push(
      `<path class="grid" d="M${left} ${y(value).toFixed(1)}H${right}"/>`,
      `<text x="${left - 6}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end">${label(value)}</text>`,
    );
  const minuteStep = niceStep(lastMinute / 5);
  for (let minute = 0; minute <= lastMinute * 1.0001; minute += minuteStep)
    parts.push(`<text x="${x(minute).toFixed(1)}" y="${bottom + 16}" text-anchor="middle">${label(minute)} min</text>`);
  for (const [at, { name, values }] of [...lines.entries()].reverse()) {
    const tone = at === 0 ? 'a' : 'b';
    const points = values.flatMap((value, row) =>
      Number.isFinite(value) ? [`${x(minutes[row]!).toFixed(1)},${y(value).toFixed(1)}`] : [],
    );
    parts.push(`<polyline class="line ${tone}" points="${points.join(' ')}"/>`);
    if (lines.length > 1)
      parts.push(
        `<rect class="key ${tone}" x="${12 + at * 110}" y="24" width="10" height="3"/>`,
        `<text x="${27 + at * 110}" y="29">${escaped(name)}</text>`,
      );
  }
  return parts.join('\n');
}

/** The next of 1, 2, 5, 10, ... */
function niceStep(atLeast: number): number {
  if (!(atLeast > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(atLeast));
  return power * ([1, 2, 5].find((factor) => factor * power >= atLeast) ?? 10);
}

function label(value: number): string {
  return value >= 1_000 ? `${Number((value / 1_000).toPrecision(3))}k` : String(Number(value.toPrecision(3)));
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
