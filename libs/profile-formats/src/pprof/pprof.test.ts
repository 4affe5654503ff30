import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { Profile } from '@hearth/profile-model';
import { callTree, functionTotals, functionsRootFirst, profileTypeId, selfByStack } from '@hearth/profile-model';
import { callTreeToText, profileToLines } from '@hearth/profile-model/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readProfiles } from '../read-profiles.js';
import { nodeAgentFunction } from './node-agent-names.js';
import { TimeScale } from './time-scale.js';
import { profileTypeOf } from './value-types.js';

const code = (expected: string): Error => expect.objectContaining({ code: expected }) as Error;
const fixture = (file: string): Uint8Array => {
  const bytes = readFileSync(new URL(`../../fixtures/${file}`, import.meta.url));
  return new Uint8Array(bytes[0] === 0x1f ? gunzipSync(bytes) : bytes);
};
/** Self and total by function name, largest first. */
const top = (profile: Profile, column: 'self' | 'total'): [string, number][] => {
  const totals = functionTotals(profile.stacks, selfByStack(profile), profile.functions.length)[column];
  return profile.functions.name.map((name, row): [string, number] => [name, totals[row]!]).sort((a, b) => b[1] - a[1]).slice(0, 3); // prettier-ignore
};
const tree = (profile: Profile): string => callTreeToText(callTree(profile.stacks, selfByStack(profile)), profile.functions);

/** A small pprof: function main (1) and leaf (2), each in the location of its number; location 3 holds both, leaf inlined into main. */
function pprof(
  samples: { ids: (number | bigint)[]; values: (number | bigint)[]; label?: string; moreLabels?: number }[],
  types = [['events', 'count']],
  packed = true,
): Uint8Array {
  const texts = ['', 'main', 'leaf', '/srv/app/src/x.go', 'plan', ...types.flat()];
  const writer = new BinaryWriter();
  const numbers = (field: number, values: (number | bigint)[]): void => {
    if (packed) {
      writer.tag(field, WireType.LengthDelimited).fork();
      for (const value of values) writer.int64(value);
      writer.join();
    } else for (const value of values) writer.tag(field, WireType.Varint).int64(value);
  };
  const message = (field: number, write: () => void): void => {
    writer.tag(field, WireType.LengthDelimited).fork();
    write();
    writer.join();
  };
  types.forEach((_, index) => message(1, () => [1, 2].forEach((field) => numbers1(writer, field, 5 + index * 2 + field - 1))));
  for (const { ids, values, label, moreLabels = 0 } of samples) {
    message(2, () => {
      numbers(1, ids);
      numbers(2, values);
      for (let more = 0; more < moreLabels; more += 1) {
        message(3, () => {
          numbers1(writer, 1, texts.push(`label${more}`) - 1);
          numbers1(writer, 2, 4);
        });
      }
      if (label !== undefined) {
        message(3, () => {
          numbers1(writer, 1, 4);
          numbers1(writer, 2, texts.push(label) - 1);
        });
      }
      message(3, () => {
        numbers1(writer, 1, 4);
        numbers1(writer, 3, Math.floor(Math.random() * 1e9)); // a number: dropped
      });
    });
  }
  for (const id of [1, 2, 3]) {
    message(4, () => {
      numbers1(writer, 1, id);
      for (const functionId of id === 3 ? [2, 1] : [id]) message(4, () => numbers1(writer, 1, functionId));
    });
  }
  message(4, () => {
    numbers1(writer, 1, 4);
    numbers1(writer, 3, 0xabc);
  });
  for (const id of [1, 2])
    message(5, () =>
      [
        [1, id],
        [2, id],
        [4, 3],
      ].forEach(([field, value]) => numbers1(writer, field!, value!)),
    );
  for (const text of texts) writer.tag(6, WireType.LengthDelimited).string(text);
  return writer.finish();
}
function numbers1(writer: BinaryWriter, field: number, value: number): void {
  writer.tag(field, WireType.Varint).int64(value);
}

describe('readProfiles of a pprof', () => {
  it('agrees with go tool pprof on a recursive wall profile', () => {
    const [samples, wall] = readProfiles(fixture('pprof/dd-wall.pb.gz')).profiles as [Profile, Profile];
    expect(top(wall, 'self')[0]).toEqual(['fib', 142_000]);
    expect(top(samples, 'self')[0]).toEqual(['fib', 71]);
    expect(top(wall, 'total').slice(1, 3)).toEqual([
      ['fib', 142_000],
      ['get weird;name (x)', 126_000],
    ]);
    expect(Math.max(...wall.sampleStack)).toBeLessThan(wall.stacks.length);
    expect([wall.startMs, wall.durationMs]).toEqual([1_795_164_257_993, 1_517]);
  });
  it('takes the file and not the line from the names of the Node agents', () => {
    const [, wall] = readProfiles(fixture('pyroscope-ingest/nodejs-v0.6.4-001.body.bin')).profiles as [Profile, Profile];
    const places = wall.functions.name.map((name, row) => `${wall.functions.package[row]}|${wall.functions.file[row]}|${name}`);
    expect(places).toEqual(expect.arrayContaining(['|pyroapp.cjs|alloc', 'native||(idle)', 'native||(garbage collector)', 'node|internal/timers|processTimers', '@pyroscope/nodejs|dist/cjs/index.js|wrapWithLabels', '@datadog/pprof|out/src/time-profiler.js|start'])); // prettier-ignore
    expect(places.filter((place) => /L#|:\d+$/.test(place))).toEqual([]);
    expect(wall.labelSets).toContainEqual([
      ['route', '/a b'],
      ['vehicle', 'bike'],
    ]);
  });
  it('takes the counts of samples/count for the other types', () => {
    const [samples, wall] = readProfiles(fixture('pprof/dd-wall.pb.gz')).profiles as [Profile, Profile];
    expect([...wall.sampleCount]).toEqual([...samples.sampleValue]);
  });
  it('lists the leaf first, and of inlined calls the innermost', () => {
    const [profile] = readProfiles(
      pprof([
        { ids: [2, 1], values: [5] },
        { ids: [3], values: [7] },
      ]),
    ).profiles;
    expect(tree(profile!)).toBe('total 12\n  main 12\n    leaf 12 (12)');
    expect(functionsRootFirst(profile!.stacks, profile!.sampleStack[0]!).map((row) => profile!.functions.name[row])).toEqual([
      'main',
      'leaf',
    ]);
  });
  it('reads numbers that are not packed as well', () => {
    expect(readProfiles(pprof([{ ids: [2, 1], values: [-5] }], undefined, false)).profiles.map(profileToLines)).toEqual(
      readProfiles(pprof([{ ids: [2, 1], values: [-5] }])).profiles.map(profileToLines),
    );
  });
  it('adds samples up that differ only in numbers, and keeps texts as labels', () => {
    const [profile] = readProfiles(
      pprof([
        { ids: [1], values: [1] },
        { ids: [1], values: [2] },
        { ids: [1], values: [4], label: 'pro' },
      ]),
    ).profiles;
    expect(profileToLines(profile!).slice(1)).toEqual([
      'main@:.../app/src/x.go [["plan","pro"]] 4 x1',
      'main@:.../app/src/x.go [] 3 x1',
    ]);
  });
  it('keeps the value of a sample without a location', () => {
    const [profile] = readProfiles(pprof([{ ids: [], values: [9] }])).profiles;
    expect([...profile!.sampleStack, ...profile!.sampleValue]).toEqual([-1, 9]);
  });
  it('calls a location without a function by its address', () => {
    expect(tree(readProfiles(pprof([{ ids: [4], values: [1] }])).profiles[0]!)).toBe('total 1\n  0xabc 1 (1)');
  });
  it('carries what is less than a microsecond, so that the total stays', () => {
    const values = [1_999, 1, 500, 500, -300, 999];
    const [profile] = readProfiles(
      pprof(
        values.map((value, index) => ({ ids: [(index % 2) + 1], values: [value] })),
        [['cpu', 'nanoseconds']],
      ),
    ).profiles;
    expect(profileTypeId(profile!.type)).toBe('process_cpu:cpu:microseconds:cpu:microseconds');
    expect(profile!.sampleValue.reduce((a, b) => a + b)).toBe(Math.floor(3_699 / 1_000));
  });
  it('takes values up to 2^53 and refuses larger ones', () => {
    expect(readProfiles(pprof([{ ids: [1], values: [2 ** 53 - 1] }])).profiles[0]!.sampleValue[0]).toBe(2 ** 53 - 1);
    expect(() => readProfiles(pprof([{ ids: [1], values: [2n ** 53n] }]))).toThrowError(code('FORMAT_VALUE'));
    expect(() =>
      readProfiles(
        pprof([
          { ids: [1], values: [2 ** 53 - 1] },
          { ids: [1], values: [1] },
        ]),
      ),
    ).toThrowError(code('FORMAT_VALUE'));
  });
  it('bounds the frames of a short file that names long stacks', () => {
    const ids = Array.from({ length: 1_000 }, () => 3);
    const limits = { maxFrames: 3_000 };
    expect(readProfiles(pprof([{ ids, values: [1] }]), { limits }).profiles).toHaveLength(1);
    expect(() =>
      readProfiles(
        pprof([
          { ids, values: [1] },
          { ids, values: [1] },
        ]),
        { limits },
      ),
    ).toThrowError(code('FORMAT_LIMIT'));
  });
  it('takes 4,096 label sets and no more, whether their texts are equal or only stand in rows of their own', () => {
    const sets = (count: number, label = (n: number): string => `p${n}`): Uint8Array =>
      pprof(Array.from({ length: count }, (_, n) => ({ ids: [1], values: [1], label: label(n) })));
    expect(readProfiles(sets(4_096)).profiles[0]!.labelSets).toHaveLength(4_096);
    expect(() => readProfiles(sets(4_097))).toThrowError(code('FORMAT_LIMIT'));
    expect(readProfiles(sets(4_096, () => 'pro')).profiles[0]!.labelSets).toEqual([[['plan', 'pro']]]);
    expect(() => readProfiles(sets(4_097, () => 'pro'))).toThrowError(code('FORMAT_LIMIT'));
    expect(() => readProfiles(sets(3), { limits: { maxLabelSets: 2 } })).toThrowError(code('FORMAT_LIMIT'));
  });
  it('takes 64 labels of a sample and no more; numbers are none', () => {
    const labelled = (moreLabels: number): Uint8Array => pprof([{ ids: [1], values: [1], label: 'pro', moreLabels }]);
    expect(readProfiles(labelled(63)).profiles[0]!.labelSets[0]).toHaveLength(64);
    expect(() => readProfiles(labelled(64))).toThrowError(code('FORMAT_LIMIT'));
  });
  it('bounds the characters of a short file that names long labels', () => {
    const bytes = pprof([
      { ids: [1], values: [1], label: 'pro' },
      { ids: [1], values: [1], label: 'pro', moreLabels: 1 },
    ]);
    const characters = 'planpro'.length + 'planprolabel0plan'.length;
    expect(readProfiles(bytes, { limits: { maxLabelCharacters: characters } }).profiles).toHaveLength(1);
    expect(() => readProfiles(bytes, { limits: { maxLabelCharacters: characters - 1 } })).toThrowError(code('FORMAT_LIMIT'));
  });
  it('takes 64 sample types and no more', () => {
    const typed = (count: number) =>
      pprof(
        [],
        Array.from({ length: count }, (_, n) => [`events${n}`, 'count']),
      );
    expect(readProfiles(typed(64)).profiles).toHaveLength(64);
    expect(() => readProfiles(typed(65))).toThrowError(code('FORMAT_LIMIT'));
  });
  it('cuts labels to 1,024 characters', () => {
    const labelOf = (length: number): string =>
      readProfiles(pprof([{ ids: [1], values: [1], label: 'x'.repeat(length) }])).profiles[0]!.labelSets[0]![0]![1];
    expect(labelOf(1_024)).toBe('x'.repeat(1_024));
    expect(labelOf(1_025)).toBe(`${'x'.repeat(1_023)}…`);
  });
  it.each([
    ['PPROF_ID', 'a location that is not there', pprof([{ ids: [77], values: [1] }])],
    ['PPROF_ID', 'a location 0', pprof([{ ids: [0], values: [1] }])],
    ['PPROF_SAMPLE', 'two values for one type', pprof([{ ids: [1], values: [1, 2] }])],
    ['PPROF_SAMPLE_TYPE', 'no sample type', pprof([], [])],
    [
      'PPROF_SAMPLE_TYPE',
      'the same sample type twice',
      pprof(
        [],
        [
          ['cpu', 'nanoseconds'],
          ['cpu', 'nanoseconds'],
        ],
      ),
    ],
    ['PPROF_STRING', 'no texts', Uint8Array.of(0x0a, 0x00)],
    ['PPROF_PROTOBUF', 'a length beyond the file', fixture('pprof/handmade/pprof-len-huge.pb')],
    ['PPROF_STRING', 'a text that is not there', fixture('pprof/handmade/pprof-str-oob.pb')],
  ])('refuses with %s: %s', (expected, _, bytes) => {
    expect(() => readProfiles(bytes)).toThrowError(code(expected));
  });
  it('replaces what is no UTF-8 by a character that shows it', () => {
    const [profile] = readProfiles(fixture('pprof/handmade/pprof-bad-utf8.pb')).profiles;
    expect(profile!.functions.name.join()).toContain('\uFFFD');
  });
});

describe('TimeScale', () => {
  it('moves no sum by a microsecond', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: -(2n ** 60n), max: 2n ** 60n }), { maxLength: 50 }), (values) => {
        const scale = new TimeScale('nanoseconds');
        const micros = values.reduce((sum, value) => sum + BigInt(scale.toWhole(value)), 0n);
        const nanos = values.reduce((sum, value) => sum + value, 0n);
        expect(nanos - micros * 1_000n).toBeGreaterThanOrEqual(0n);
        expect(nanos - micros * 1_000n).toBeLessThan(1_000n);
      }),
    );
  });
  it('makes larger units smaller and leaves other units alone', () => {
    expect(
      ['milliseconds', 'seconds', 'microseconds', 'bytes', 'constructor'].map((unit) => new TimeScale(unit).toWhole(7)),
    ).toEqual([7_000, 7_000_000, 7, 7, 7]);
  });
});

describe('profileTypeOf', () => {
  it.each([
    ['process_cpu:cpu:microseconds:cpu:microseconds', ['cpu', 'nanoseconds'], ['wall', 'nanoseconds']],
    ['process_cpu:samples:count:cpu:microseconds', ['samples', 'count'], ['cpu', 'nanoseconds']],
    ['memory:inuse_space:bytes:space:bytes', ['inuse_space', 'bytes'], ['inuse_space', 'bytes']],
    ['contentions:delay:microseconds:contentions:count', ['delay', 'nanoseconds'], ['contentions', 'count']],
    ['goroutine:goroutine:count::', ['goroutine', 'count'], undefined],
    ['unknown::::', ['', ''], undefined],
    ['a_b:a_b:x_::', ['a b', 'x:'], undefined],
  ])('%s', (id, sample, period) => {
    const valueType = ([type, unit]: string[]): { type: string; unit: string } => ({ type: type!, unit: unit! });
    expect(profileTypeId(profileTypeOf(valueType(sample), period && valueType(period)))).toBe(id);
  });
});

describe('nodeAgentFunction', () => {
  it.each([
    ['./src/cart.js:alloc:5', '/srv/shop/src/cart.js', 'alloc', 'src/cart.js'],
    ['./x.cjs:(anonymous:L#6:C#33):6', '/srv/x.cjs', '', 'x.cjs'],
    ['node:internal/timers:processTimers:504', 'node:internal/timers', 'processTimers', 'node:internal/timers'],
    [':(idle):0', '', '(idle)', ''],
    [':Garbage Collection:0', '', '(garbage collector)', ''],
    ['(anonymous:L#4:C#2)', '/srv/x.cjs', '', '/srv/x.cjs'],
    ['std::map::at:5', '/src/map.cc', 'std::map::at:5', '/src/map.cc'],
    ['./other.js:f:5', '/srv/x.js', './other.js:f:5', '/srv/x.js'],
    ['f', '', 'f', ''],
  ])('%s in %j', (name, file, plainName, scriptName) => {
    expect(nodeAgentFunction(name, file)).toEqual({ name: plainName, scriptName });
  });
});
