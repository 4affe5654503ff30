import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Profile } from '@hearth/profile-model';
import { assertProfile, profileTypeId } from '@hearth/profile-model';
import { profileToLines, randomProfile } from '@hearth/profile-model/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError } from './errors.js';
import { profileToFolded } from './folded/write-folded.js';
import type { Inflate } from './inflate.js';
import { inflateByStream } from './inflate.js';
import { profilesToPprof } from './pprof/profiles-to-pprof.js';
import type { ProfileFormat } from './read-profiles.js';
import { readProfiles } from './read-profiles.js';

interface FixtureEntry {
  readonly file: string;
  readonly format: string;
  readonly sha256: string;
  readonly licence: string;
  readonly origin: object;
  readonly expect: Readonly<Record<string, unknown>> & { readonly outcome: string };
}

const folder = new URL('../fixtures/', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('MANIFEST.json', folder), 'utf8')) as FixtureEntry[];
const inflate: Inflate = (gzip, maxBytes) => gunzipSync(gzip, { maxOutputLength: maxBytes });
const fixture = (file: string): Uint8Array => new Uint8Array(readFileSync(new URL(file, folder)));
const total = (profile: Profile): number => profile.sampleValue.reduce((a, b) => a + b, 0);
const code = (expected: string): Error => expect.objectContaining({ code: expected }) as Error;

interface FormatCheck {
  readonly bytes: Uint8Array;
  /** The format's own export, or that of a format which can hold all that it can. */
  readonly write: (profiles: Profile[]) => Uint8Array;
}

/**
 * What must hold for every format and every file. Nothing is told to the reader but the bytes, so it cannot be going by a name.
 *
 * @returns As what it was read, and the sum of the values of each profile.
 */
function checkFormat({ bytes, write }: FormatCheck): { format: ProfileFormat; totals: number[] } {
  const read = readProfiles(bytes, { inflate });
  read.profiles.forEach(assertProfile);

  const types = new Set(read.profiles.map((profile) => profileTypeId(profile.type)));
  // A pprof may bring one more, which counts the samples of the others.
  const again = readProfiles(write(read.profiles), { inflate }).profiles.filter((profile) =>
    types.has(profileTypeId(profile.type)),
  );
  expect(again.map(profileToLines)).toEqual(read.profiles.map(profileToLines));
  const plain = bytes[0] === 0x1f ? new Uint8Array(inflate(bytes, 2 ** 26)) : bytes;
  for (const form of [plain, gzipSync(plain)])
    expect(readProfiles(form, { inflate }).profiles.map(profileToLines)).toEqual(read.profiles.map(profileToLines));
  const damages = Math.min(300, Math.ceil(3e6 / plain.length));
  for (let round = 0; round < damages; round += 1) {
    const cut = plain.subarray(0, Math.floor((plain.length * round) / damages));
    const flipped = plain.slice();
    const bit = (round * 7_919 * 8 + (round % 8)) % (plain.length * 8);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    for (const damaged of [cut, flipped]) readOrRefuse(damaged);
  }
  return { format: read.format, totals: read.profiles.map(total) };
}

/** A damaged file gives a good profile or a coded error, within the time of the test. */
function readOrRefuse(bytes: Uint8Array): 'read' | 'refused' {
  try {
    readProfiles(bytes, { inflate }).profiles.forEach(assertProfile);
    return 'read';
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return 'refused';
  }
}

const toPprof = profilesToPprof;
const toFolded = (profiles: Profile[]): Uint8Array => new TextEncoder().encode(profileToFolded(profiles[0]!));

describe('every format', () => {
  const pprofs: [file: string, totals: number[]][] = [
    ['pprof/dd-wall.pb.gz', [74, 148_000]],
    ['pprof/dd-wall.raw.pb', [74, 148_000]],
    ['pprof/dd-heap.pb.gz', [2_619_554, 97_169_444]],
    ['pyroscope-ingest/nodejs-v0.6.4-001.body.bin', [419, 432_288, 359_462]],
    ['pyroscope-ingest/nodejs-v0.6.4-002.body.bin', [4_329_944, 159_371_968]],
  ];
  it.each(pprofs)('pprof: %s', (file, totals) => {
    expect(checkFormat({ bytes: fixture(file), write: toPprof })).toEqual({ format: 'pprof', totals });
  });
  const folded: [file: string, total: number][] = [
    ['folded/c-threads.collapsed.txt', 65_195_585],
    ['folded/c-threads.collapsed--pid.txt', 65_195_585],
    ['folded/c-threads.collapsed--all.txt', 65_195_585],
    ['folded/node20-perfmap.collapsed--all.txt', 120_240_480],
    ['folded/handmade/collapsed-crlf-bom.txt', 3],
    ['folded/handmade/collapsed-spaces.txt', 15],
    ['folded/handmade/collapsed-emptyframes.txt', 12],
  ];
  it.each(folded)('folded: %s', (file, sum) => {
    expect(checkFormat({ bytes: fixture(file), write: toFolded })).toEqual({ format: 'folded', totals: [sum] });
  });
  const cpuprofiles: [file: string, total: number][] = [
    ['cpuprofile/tsc.cpuprofile', 1_846_749],
    ['cpuprofile/idle.cpuprofile', 576_893],
    ['cpuprofile/handmade/cpuprofile-ok-min.cpuprofile', 3_000],
    ['cpuprofile/handmade/cpuprofile-neg-delta.cpuprofile', 1_500],
    ['cpuprofile/handmade/cpuprofile-proto.cpuprofile', 3_000],
    ['cpuprofile/handmade/json-bom.cpuprofile', 3_000],
  ];
  // There is no .cpuprofile export; a pprof can hold all of it.
  it.each(cpuprofiles)('cpuprofile: %s', (file, sum) => {
    expect(checkFormat({ bytes: fixture(file), write: toPprof })).toEqual({ format: 'cpuprofile', totals: [sum] });
  });

  it('pollutes no prototype', () => expect(({} as { polluted?: unknown }).polluted).toBeUndefined());

  const bad = manifest.filter(({ expect: { outcome } }) => outcome.startsWith('reject'));
  it.each(bad.map(({ file }) => file))('refuses %s', (file) =>
    expect(() => readProfiles(fixture(file), { inflate })).toThrowError(FormatError),
  );
});

describe('profilesToPprof', () => {
  const [plain] = [randomProfile(1)];
  const withCount = (profile: Profile, count: number): Profile => ({
    ...profile,
    sampleCount: profile.sampleCount.map(() => count),
  });

  it('is read back as the same profile, labels and counts included', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const profile = withoutZeros(randomProfile(seed));
        const read = readProfiles(profilesToPprof([profile])).profiles;
        expect(profileToLines(read.at(-1)!)).toEqual(profileToLines(profile));
      }),
    );
  });
  it('holds several value types over the same stacks', () => {
    const cpu = withCount(withoutZeros(plain!), 1);
    const wall: Profile = {
      ...cpu,
      type: { name: 'wall', sampleType: 'wall', sampleUnit: 'microseconds', periodType: 'wall', periodUnit: 'microseconds' },
      sampleValue: cpu.sampleValue.map((value) => value * 3),
    };
    const read = readProfiles(profilesToPprof([cpu, wall])).profiles;
    expect(read.map(profileToLines)).toEqual([cpu, wall].map(profileToLines));
  });
});

/** Rows of value 0 are not kept by a file that does not count samples. */
function withoutZeros(profile: Profile): Profile {
  return { ...profile, sampleValue: profile.sampleValue.map((value) => value + 1) };
}

describe('profileToFolded', () => {
  it('keeps frames apart whose names hold separators, and says what it cannot hold by a text that is read back equally', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const text = profileToFolded(randomProfile(seed));
        expect(profileToFolded(readProfiles(new TextEncoder().encode(text)).profiles[0]!)).toBe(text);
      }),
    );
  });
});

describe('readProfiles', () => {
  const bytes = fixture('pprof/dd-wall.pb.gz');

  it('bounds what a gzip file becomes', () => {
    const bomb = gzipSync(new Uint8Array(2 ** 20 + 1));
    const limits = { maxBytes: 2 ** 20 };
    expect(() => readProfiles(bomb, { inflate, limits })).toThrowError(code('FORMAT_LIMIT'));
    expect(() => readProfiles(gzipSync(new Uint8Array(2 ** 20)), { inflate, limits })).not.toThrowError(code('FORMAT_LIMIT'));
  });
  it('refuses a cut gzip file, bytes behind it, and any without an inflater', () => {
    expect(() => readProfiles(bytes.subarray(0, -9), { inflate })).toThrowError(code('FORMAT_GZIP'));
    expect(() => readProfiles(Uint8Array.of(...bytes, 0, 0, 0, 0, 0), { inflate })).toThrowError(code('FORMAT_GZIP'));
    expect(() => readProfiles(Uint8Array.of(0x1f, 0x8b), { inflate })).toThrowError(code('FORMAT_GZIP'));
    expect(() => readProfiles(bytes)).toThrowError(code('FORMAT_GZIP'));
  });
  it('keeps its limits to the row and to the frame', () => {
    const text = (content: string): Uint8Array => new TextEncoder().encode(content);
    expect(total(readProfiles(text('a;b 1\na;c 2'), { limits: { maxRows: 2, maxDepth: 2, maxFrames: 4 } }).profiles[0]!)).toBe(3);
    for (const limits of [{ maxRows: 1 }, { maxDepth: 1 }, { maxFrames: 3 }, { maxBytes: 10 }]) {
      expect(() => readProfiles(text('a;b 1\na;c 2'), { limits })).toThrowError(code('FORMAT_LIMIT'));
    }
  });
  it.each([
    ['FORMAT_EMPTY', ''],
    ['FORMAT_EMPTY', ' \n'],
    ['FORMAT_UNKNOWN', '{"a":1}'],
    ['FORMAT_UNKNOWN', '{}'],
    ['CPUPROFILE_JSON', '{"nodes":'],
    ['FORMAT_UNSUPPORTED', '{"head":{"callFrame":{},"selfSize":0,"children":[]}}'],
    ['FORMAT_UNSUPPORTED', '{"shared":{"frames":[]},"profiles":[]}'],
    ['FORMAT_UNSUPPORTED', '[{"ph":"X"}]'],
    ['FORMAT_UNSUPPORTED', '# callgrind format\nevents: Ir\nfn=main\n16 400\n'],
    ['FORMAT_UNSUPPORTED', '# austin: 3.3.0\nP1;T1;a.py:f:1 10\n'],
    ['FORMAT_UNSUPPORTED', '--- threadz 1 ---\n'],
    ['FORMAT_UNSUPPORTED', 'FLR\0\0\x02'],
    ['FORMAT_UNSUPPORTED', 'MOJ\x03\x01'],
    ['FORMAT_UNSUPPORTED', 'node 1234 5.1: 10 cycles:\n\tabc main (node)\n'],
    ['FORMAT_UNSUPPORTED', '{"task_level":[1],"task_uuid":"x"}\n{}'],
    ['FORMAT_UNSUPPORTED', '{(('],
  ])('refuses with %s: %j', (expected, content) => {
    expect(() => readProfiles(new TextEncoder().encode(content))).toThrowError(code(expected));
  });
  it('gives a profile or a coded error for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (any) => {
        expect(readOrRefuse(any)).toMatch(/^(read|refused)$/);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('inflateByStream', () => {
  const bytes = fixture('pprof/dd-wall.pb.gz');
  it('inflates to the same bytes', async () => {
    expect(await inflateByStream(bytes, 2 ** 20)).toEqual(new Uint8Array(inflate(bytes, 2 ** 20)));
  });
  it('keeps its bound, and refuses a cut file and bytes behind it', async () => {
    const size = inflate(bytes, 2 ** 20).length;
    expect((await inflateByStream(bytes, size)).length).toBe(size);
    await expect(inflateByStream(bytes, size - 1)).rejects.toThrowError(code('FORMAT_LIMIT'));
    await expect(inflateByStream(bytes.subarray(0, -9), 2 ** 20)).rejects.toThrowError(code('FORMAT_GZIP'));
    await expect(inflateByStream(Uint8Array.of(...bytes, 1, 2, 3, 4), 2 ** 20)).rejects.toThrowError(code('FORMAT_GZIP'));
  });
});

describe('fixtures/MANIFEST.json', () => {
  it('says where every fixture is from, and holds its bytes', () => {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(manifest).toHaveLength(files.length - 1);
    for (const { file, sha256, licence, origin } of manifest) {
      expect(createHash('sha256').update(fixture(file)).digest('hex')).toBe(sha256);
      expect([licence, origin]).not.toContain(undefined);
    }
  });
});
