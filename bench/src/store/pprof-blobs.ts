import { gunzipSync, gzipSync } from 'node:zlib';
import { readProfiles, profilesToPprof } from '@hearth/profile-formats';
import { mergeProfiles, PROFILE_TYPE_IDS, profileTypeId, type Profile } from '@hearth/profile-model';
import { flushToProfile } from '../fleet/flush-tables.js';
import type { Flush } from '../fleet/fleet.js';
import type { BenchStore } from './bench-store.js';

/** The peer: each profile as gzipped pprof in a row, found by service and time, decoded and merged in Node. */
export class PprofBlobs {
  readonly #dataSource: BenchStore['dataSource'];

  private constructor({ dataSource }: BenchStore) {
    this.#dataSource = dataSource;
  }

  static async create(bench: BenchStore): Promise<PprofBlobs> {
    await bench.dataSource.query(
      'CREATE TABLE bench_blob (service_id int, start_ms bigint, process_id int, data bytea STORAGE EXTERNAL)',
    );
    await bench.dataSource.query('CREATE INDEX ON bench_blob (service_id, start_ms)');
    return new PprofBlobs(bench);
  }

  async store(flushes: Iterable<Flush>, perTransaction: number): Promise<void> {
    let rows: { flush: Flush; data: Buffer }[] = [];
    const insert = async () => {
      const full = rows;
      rows = [];
      await this.#dataSource.query('INSERT INTO bench_blob SELECT 1, * FROM unnest($1::bigint[], $2::int[], $3::bytea[])', [
        full.map(({ flush }) => flush.startMs),
        full.map(({ flush }) => flush.process),
        full.map(({ data }) => data),
      ]);
    };
    for (const flush of flushes)
      for (const profile of flush.profiles) {
        const data = Buffer.from(gzipSync(profilesToPprof([flushToProfile(flush, profile)])));
        if (rows.push({ flush, data }) >= perTransaction) await insert();
      }
    if (rows.length > 0) await insert();
  }

  /** The CPU time of a range. */
  async merged(fromMs: number, untilMs: number): Promise<Profile> {
    const rows = (await this.#dataSource.query(
      'SELECT data FROM bench_blob WHERE service_id = 1 AND start_ms >= $1 AND start_ms < $2',
      [fromMs, untilMs],
    )) as { data: Buffer }[];
    return mergeProfiles(rows.map(({ data }) => readProfiles(gunzipSync(data)).profiles.find(isCpu)!));
  }
}

/** The file carries the counts too. */
function isCpu({ type }: Profile): boolean {
  return profileTypeId(type) === PROFILE_TYPE_IDS.cpu;
}
