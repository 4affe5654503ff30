import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { lineCosts } from '@hearth/profile-model';
import { describe, expect, it } from 'vitest';
import { readProfiles, type ReadProfiles } from '../read-profiles.js';

type Line = readonly [functionId: number, line: number | bigint];

/** Functions main (1) and leaf (2) of src/x.go. A location is its lines, the innermost inlined call first; a sample is the locations, leaf first, and a count. */
function pprof(
  locations: readonly (readonly Line[])[],
  samples: readonly (readonly [ids: number[], count: number])[],
): Uint8Array {
  const writer = new BinaryWriter();
  const message = (field: number, fields: readonly (readonly [number, number | bigint])[], inner?: () => void): void => {
    writer.tag(field, WireType.LengthDelimited).fork();
    for (const [number, value] of fields) writer.tag(number, WireType.Varint).int64(value);
    inner?.();
    writer.join();
  };
  message(1, [[1, 4], [2, 5]]); // prettier-ignore
  for (const [ids, count] of samples) message(2, [...ids.map((id) => [1, id] as const), [2, count]]);
  locations.forEach((lines, at) => {
    message(4, [[1, at + 1]], () => {
      for (const [functionId, line] of lines) message(4, [[1, functionId], [2, line]]); // prettier-ignore
    });
  });
  for (const id of [1, 2]) message(5, [[1, id], [2, id], [4, 3]]); // prettier-ignore
  for (const text of ['', 'main', 'leaf', 'src/x.go', 'events', 'count']) writer.tag(6, WireType.LengthDelimited).string(text);
  return writer.finish();
}

/** `line self total`, by line. */
function linesOf({ profiles: [profile], functionLine }: ReadProfiles): string[] {
  const { files, line, self, total } = lineCosts(profile!, functionLine!);
  expect(files.file).toEqual(['src/x.go']);
  return [...line.keys()].map((row) => `${line[row]} ${self[row]} ${total[row]}`).sort();
}

describe('lines of a pprof file', () => {
  const bytes = pprof([[[1, 7]], [[1, 9]], [[2, 3], [1, 7]], [[2, 4]]], [[[3], 10], [[4, 1], 5], [[2], 1], [[4, 2], 2]]); // prettier-ignore

  it('give a function a row for each line that it ran on, inlined or not', () => {
    expect(linesOf(readProfiles(bytes, { hasCallSiteLines: true }))).toEqual(['3 10 10', '4 7 7', '7 0 15', '9 1 3']);
  });

  it('are left aside where nobody asks for them', () => {
    const { profiles, functionLine } = readProfiles(bytes);
    expect(functionLine).toBeUndefined();
    expect(profiles[0]!.functions.name).toEqual(['main', 'leaf']);
    expect(profiles[0]!.sampleValue.toSorted()).toEqual(Float64Array.of(1, 17));
  });

  it('are unknown where no source file can have them', () => {
    const impossible = pprof([[[1, 2 ** 31 - 1]], [[1, 2 ** 31]], [[1, -1]], [[1, 2n ** 62n]]], [[[1], 1], [[2], 1], [[3], 1], [[4], 1]]); // prettier-ignore
    expect(linesOf(readProfiles(impossible, { hasCallSiteLines: true }))).toEqual(['0 3 3', '2147483647 1 1']);
  });
});
