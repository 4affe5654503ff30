import type { FunctionKey } from '@hearth/profile-model';

/** A fill and the text that can be read on it. */
export interface Paint {
  readonly fill: string;
  readonly text: string;
}
/** Row in the palette: paints by package first, then paints of change. */
export type PaintIndex = number;
export type ColorScheme = 'light' | 'dark';

type Rgb = readonly [red: number, green: number, blue: number];

/** Application code is saturated, one hue per file; libraries are grey: colour leads to what one can change. */
const OWN_HUES: Record<ColorScheme, readonly Rgb[]> = {
  light: [
    [126, 178, 232],
    [108, 196, 178],
    [158, 200, 110],
    [226, 196, 92],
    [232, 150, 160],
    [150, 160, 236],
    [104, 190, 214],
  ],
  dark: [
    [52, 100, 158],
    [30, 112, 98],
    [74, 110, 36],
    [128, 100, 22],
    [148, 66, 80],
    [80, 84, 164],
    [24, 106, 128],
  ],
};
const LIBRARY_GREYS: Record<ColorScheme, readonly Rgb[]> = {
  light: [
    [206, 207, 213],
    [214, 215, 220],
    [198, 199, 206],
  ],
  dark: [
    [70, 71, 79],
    [62, 63, 71],
    [78, 79, 88],
  ],
};
const RUNTIME: Record<ColorScheme, readonly [node: Rgb, native: Rgb]> = {
  light: [
    [226, 227, 231],
    [236, 236, 240],
  ],
  dark: [
    [50, 51, 58],
    [42, 43, 49],
  ],
};
const NEUTRAL: Record<ColorScheme, Rgb> = { light: [218, 219, 224], dark: [62, 63, 71] };
/** Diverging, and apart for every common form of colour blindness: less is purple, more is orange. */
const MORE: Record<ColorScheme, Rgb> = { light: [240, 126, 34], dark: [226, 112, 22] };
const LESS: Record<ColorScheme, Rgb> = { light: [146, 118, 234], dark: [124, 92, 222] };

const LIBRARY_START = OWN_HUES.light.length;
const RUNTIME_START = LIBRARY_START + LIBRARY_GREYS.light.length;
const CHANGE_START = RUNTIME_START + 2;

/** Steps of a change by its size as a factor: 2 %, 11 %, 32 %, doubled. */
const FACTOR_STEPS = [0.03, 0.15, 0.4, 1];
const STRENGTH = [0, 0.3, 0.5, 0.75, 1];
/** Steps of confidence, and how much of the colour each lets through. */
const CONFIDENCE_STEPS = [0.5, 0.9, 0.99];
const OPACITY = [0.15, 0.4, 0.75, 1];

/** The paint of a frame that is not compared. */
export function packagePaint({ package: packageName, file, name }: FunctionKey): PaintIndex {
  if (packageName === 'node') return RUNTIME_START;
  if (packageName === 'native') return RUNTIME_START + 1;
  if (packageName === '') return file === '' ? RUNTIME_START : spread(file || name) % LIBRARY_START;
  return LIBRARY_START + (spread(packageName) % LIBRARY_GREYS.light.length);
}

/** The paint of a frame of a comparison: direction and size by hue and strength, certainty by opacity. */
export function changePaint(baseline: number, candidate: number, confidence: number): PaintIndex {
  if (baseline === candidate) return changeIndex(0, 0);
  const factor = baseline === 0 ? Infinity : candidate === 0 ? -Infinity : Math.log2(candidate / baseline);
  return changeIndex(Math.sign(factor) * stepOf(Math.abs(factor), FACTOR_STEPS), stepOf(confidence, CONFIDENCE_STEPS));
}

/**
 * How much a change counts in the sum of a run: as much as its colour would show. Otherwise the noise of many doubtful
 * frames would paint every run.
 */
export function changeWeight(confidence: number): number {
  return stepOf(confidence, CONFIDENCE_STEPS) < 2 ? 0 : 1;
}

/** Steps of a run's change as a share of its width. */
const RUN_STEPS = [0.01, 0.05, 0.15, 0.4];

/** The paint of a run of frames too narrow to be drawn apart, by what they sum to: the sign is never lost, the strength is its share. */
export function runPaint(change: number, width: number): PaintIndex {
  if (change === 0) return changeIndex(0, 0);
  return changeIndex(Math.sign(change) * Math.max(1, stepOf(Math.abs(change) / width, RUN_STEPS)), 3);
}

const palettes = new Map<ColorScheme, readonly Paint[]>();

export function palette(scheme: ColorScheme): readonly Paint[] {
  let paints = palettes.get(scheme);
  if (!paints) {
    const changes: Rgb[] = [];
    for (let step = -4; step <= 4; step += 1) {
      for (let confidence = 0; confidence < OPACITY.length; confidence += 1) {
        changes.push(
          mix(NEUTRAL[scheme], step < 0 ? LESS[scheme] : MORE[scheme], STRENGTH[Math.abs(step)]! * OPACITY[confidence]!),
        );
      }
    }
    paints = [...OWN_HUES[scheme], ...LIBRARY_GREYS[scheme], ...RUNTIME[scheme], ...changes].map(paintOf);
    palettes.set(scheme, paints);
  }
  return paints;
}

function changeIndex(step: number, confidence: number): PaintIndex {
  return CHANGE_START + (step + 4) * OPACITY.length + confidence;
}

function stepOf(value: number, steps: readonly number[]): number {
  let step = 0;
  while (step < steps.length && value >= steps[step]!) step += 1;
  return step;
}

function spread(text: string): number {
  let hash = 7;
  for (let index = 0; index < text.length; index += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(index)) >>> 0;
  return (hash ^ (hash >>> 15)) >>> 0;
}

function mix(under: Rgb, over: Rgb, opacity: number): Rgb {
  const channel = (index: 0 | 1 | 2) => Math.round(under[index] + (over[index] - under[index]) * opacity);
  return [channel(0), channel(1), channel(2)];
}

function paintOf(rgb: Rgb): Paint {
  return {
    fill: `rgb(${rgb.join(' ')})`,
    text: contrast(rgb, [0, 0, 0]) >= contrast(rgb, [255, 255, 255]) ? '#000000' : '#ffffff',
  };
}

/** Contrast of two colours as WCAG 2.2 defines it, 1..21. */
export function contrast(one: Rgb, other: Rgb): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

function luminance(rgb: Rgb): number {
  const [red, green, blue] = rgb.map((channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
