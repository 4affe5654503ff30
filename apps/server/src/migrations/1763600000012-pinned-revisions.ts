import type { MigrationInterface, QueryRunner } from 'typeorm';

const KEY = 'service_id, profile_type_id, window_start_ms, revision_id, environment_id';

/**
 * Revisions that are kept for ever, and what is kept of them. Creates empty tables only. A server of the version before does not know them: a worker
 * of it that runs on beside still forgets days of pinned revisions, so pin once all are upgraded.
 */
export class PinnedRevisions1763600000012 implements MigrationInterface {
  readonly name = 'PinnedRevisions1763600000012';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE pinned_revision (
        service_id bigint NOT NULL,
        revision_id bigint NOT NULL,
        pinned_ms bigint NOT NULL,
        PRIMARY KEY (service_id, revision_id)
      );

      CREATE TABLE pinned_totals (
        service_id bigint NOT NULL,
        profile_type_id smallint NOT NULL,
        window_start_ms bigint NOT NULL,
        revision_id bigint NOT NULL,
        environment_id bigint NOT NULL,
        sequence bigint NOT NULL,
        detail bytea NOT NULL,
        PRIMARY KEY (${KEY})
      ) PARTITION BY RANGE (window_start_ms);
      ALTER TABLE pinned_totals ALTER detail SET STORAGE EXTERNAL;

      CREATE TABLE pinned_transaction (
        service_id bigint NOT NULL,
        window_start_ms bigint NOT NULL,
        process_id bigint NOT NULL,
        revision_id bigint NOT NULL,
        environment_id bigint NOT NULL,
        label_set_id bigint NOT NULL,
        kind smallint NOT NULL,
        outcome smallint NOT NULL,
        count bigint NOT NULL,
        duration_sum_us bigint NOT NULL,
        sketch_bucket int[] NOT NULL,
        sketch_count bigint[] NOT NULL,
        PRIMARY KEY (service_id, window_start_ms, process_id, revision_id, environment_id, label_set_id, kind, outcome)
      ) PARTITION BY RANGE (window_start_ms);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE pinned_transaction, pinned_totals, pinned_revision');
  }
}
