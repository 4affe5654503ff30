import type { MigrationInterface, QueryRunner } from 'typeorm';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const HOUR_PARTITION_MS = 28 * DAY_MS;

const KEY = 'service_id, profile_type_id, window_start_ms, revision_id, environment_id';
const KEY_COLUMNS = `
        service_id bigint NOT NULL,
        profile_type_id smallint NOT NULL,
        window_start_ms bigint NOT NULL,
        revision_id bigint NOT NULL,
        environment_id bigint NOT NULL`;

/**
 * Hours and days beside the minutes, every level partitioned by the start of its windows. What was stored is moved into partitions, and every
 * hour that has minutes is left pending, so that the builders make it.
 */
export class Levels1763600000003 implements MigrationInterface {
  readonly name = 'Levels1763600000003';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE profile_window RENAME TO profile_window_before;
      ALTER INDEX profile_window_pkey RENAME TO profile_window_before_pkey;
      DROP INDEX profile_window_pending;
      ALTER TABLE segment RENAME TO segment_before;
      ALTER INDEX segment_pkey RENAME TO segment_before_pkey;
      ${windowTable('profile_window', 'sequence int NOT NULL, built_sequence int NOT NULL DEFAULT 0')}
      ${windowTable('hour_window', UPPER_STATE)}
      ${windowTable('day_window', UPPER_STATE)}
      CREATE INDEX hour_window_unsealed ON hour_window (window_start_ms, service_id) WHERE NOT is_sealed;
      CREATE INDEX day_window_unsealed ON day_window (window_start_ms, service_id) WHERE NOT is_sealed;
      ${segmentTable('segment', ['totals', 'detail'])}
      ${segmentTable('hour_segment', ['totals', 'detail'])}
      ${segmentTable('day_totals', ['totals'])}
      ${segmentTable('release_totals', ['detail'])}
    `);
    await makePartitions(queryRunner, 'profile_window', 'profile_window_before', DAY_MS, ' WITH (fillfactor = 80)');
    await makePartitions(queryRunner, 'segment', 'segment_before', DAY_MS);
    await makePartitions(queryRunner, 'hour_window', 'profile_window_before', HOUR_PARTITION_MS, ' WITH (fillfactor = 80)');
    await queryRunner.query(`
      INSERT INTO profile_window (${KEY}, sequence, built_sequence) SELECT ${KEY}, sequence, built_sequence FROM profile_window_before;
      INSERT INTO segment (${KEY}, totals, detail) SELECT ${KEY}, totals, detail FROM segment_before;
      INSERT INTO hour_window (${KEY}, sequence)
        SELECT service_id, profile_type_id, window_start_ms - window_start_ms % ${HOUR_MS}, revision_id, environment_id, sum(built_sequence)
        FROM profile_window_before WHERE built_sequence > 0 GROUP BY 1, 2, 3, 4, 5;
      DROP TABLE profile_window_before, segment_before;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    // Hours and days are lost, and with them every minute that was merged into them for good.
    await queryRunner.query(`
      ALTER TABLE profile_window RENAME TO profile_window_after;
      ALTER INDEX profile_window_pkey RENAME TO profile_window_after_pkey;
      DROP INDEX profile_window_pending;
      ALTER TABLE segment RENAME TO segment_after;
      ALTER INDEX segment_pkey RENAME TO segment_after_pkey;
      CREATE TABLE profile_window (${KEY_COLUMNS},
        sequence int NOT NULL,
        built_sequence int NOT NULL DEFAULT 0,
        PRIMARY KEY (${KEY})
      ) WITH (fillfactor = 80);
      CREATE INDEX profile_window_pending ON profile_window (window_start_ms, service_id) WHERE sequence > built_sequence;
      CREATE TABLE segment (${KEY_COLUMNS},
        totals bytea NOT NULL,
        detail bytea NOT NULL,
        PRIMARY KEY (${KEY})
      );
      ALTER TABLE segment ALTER totals SET STORAGE EXTERNAL, ALTER detail SET STORAGE EXTERNAL;
      INSERT INTO profile_window (${KEY}, sequence, built_sequence) SELECT ${KEY}, sequence, built_sequence FROM profile_window_after;
      INSERT INTO segment (${KEY}, totals, detail) SELECT ${KEY}, totals, detail FROM segment_after;
      DROP TABLE release_totals, day_totals, hour_segment, segment_after, day_window, hour_window, profile_window_after;
    `);
  }
}

/** Sequences count raw profiles at every level; those of hours and days are sums. */
const UPPER_STATE =
  'sequence bigint NOT NULL, built_sequence bigint NOT NULL DEFAULT 0, is_sealed boolean NOT NULL DEFAULT false';

function windowTable(table: string, state: string): string {
  return `CREATE TABLE ${table} (${KEY_COLUMNS}, ${state}, PRIMARY KEY (${KEY})) PARTITION BY RANGE (window_start_ms);
      CREATE INDEX ${table}_pending ON ${table} (window_start_ms, service_id) WHERE sequence > built_sequence;`;
}

function segmentTable(table: string, columns: readonly string[]): string {
  return `CREATE TABLE ${table} (${KEY_COLUMNS}, ${columns.map((column) => `${column} bytea NOT NULL`).join(', ')}, PRIMARY KEY (${KEY})) PARTITION BY RANGE (window_start_ms);
      ALTER TABLE ${table} ${columns.map((column) => `ALTER ${column} SET STORAGE EXTERNAL`).join(', ')};`;
}

/** Those that the rows of `source` need, as the server itself makes them: of a fixed width, named after the hours from 1970 to their start. */
async function makePartitions(
  queryRunner: QueryRunner,
  parent: string,
  source: string,
  widthMs: number,
  storage = '',
): Promise<void> {
  const starts = (await queryRunner.query(
    `SELECT DISTINCT window_start_ms - window_start_ms % ${widthMs} AS start FROM ${source}`,
  )) as { start: string | number }[];
  for (const start of starts.map((row) => Number(row.start))) {
    await queryRunner.query(
      `CREATE TABLE ${parent}_h${start / HOUR_MS} PARTITION OF ${parent} FOR VALUES FROM (${start}) TO (${start + widthMs})${storage}`,
    );
  }
}
