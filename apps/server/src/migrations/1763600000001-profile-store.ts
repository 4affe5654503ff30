import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The data tables: stack dictionary, blocks, windows, segments, transaction windows, process series, receipts.
 * Creates empty tables only. Every key leads with service_id, so that a service can be placed on one machine.
 */
export class ProfileStore1763600000001 implements MigrationInterface {
  readonly name = 'ProfileStore1763600000001';

  async up(queryRunner: QueryRunner): Promise<void> {
    // bytea that is deflated already: EXTERNAL keeps Postgres from trying again.
    await queryRunner.query(`
      CREATE TABLE stack_head (
        service_id bigint PRIMARY KEY,
        version int NOT NULL
      );
      CREATE TABLE stack_page (
        service_id bigint NOT NULL,
        version int NOT NULL,
        data bytea NOT NULL,
        PRIMARY KEY (service_id, version)
      );
      ALTER TABLE stack_page ALTER data SET STORAGE EXTERNAL;

      CREATE TABLE batch_receipt (
        service_id bigint NOT NULL,
        process_id bigint NOT NULL,
        sequence bigint NOT NULL,
        received_ms bigint NOT NULL,
        PRIMARY KEY (service_id, process_id, sequence)
      );
      CREATE TABLE upload_receipt (
        service_id bigint NOT NULL,
        key text NOT NULL,
        received_ms bigint NOT NULL,
        PRIMARY KEY (service_id, key)
      );

      CREATE TABLE profile_window (
        service_id bigint NOT NULL,
        profile_type_id smallint NOT NULL,
        window_start_ms bigint NOT NULL,
        revision_id bigint NOT NULL,
        environment_id bigint NOT NULL,
        sequence int NOT NULL,
        built_sequence int NOT NULL DEFAULT 0,
        PRIMARY KEY (service_id, profile_type_id, window_start_ms, revision_id, environment_id)
      ) WITH (fillfactor = 80);
      CREATE INDEX profile_window_pending ON profile_window (window_start_ms, service_id) WHERE sequence > built_sequence;

      CREATE TABLE block (
        arrived_hour_ms bigint NOT NULL,
        service_id bigint NOT NULL,
        profile_type_id smallint NOT NULL,
        window_start_ms bigint NOT NULL,
        revision_id bigint NOT NULL,
        environment_id bigint NOT NULL,
        sequence int NOT NULL,
        process_id bigint NOT NULL,
        start_ms bigint NOT NULL,
        duration_ms int NOT NULL,
        data bytea NOT NULL,
        PRIMARY KEY (service_id, profile_type_id, window_start_ms, revision_id, environment_id, sequence, arrived_hour_ms)
      ) PARTITION BY RANGE (arrived_hour_ms);
      ALTER TABLE block ALTER data SET STORAGE EXTERNAL;

      CREATE TABLE segment (
        service_id bigint NOT NULL,
        profile_type_id smallint NOT NULL,
        window_start_ms bigint NOT NULL,
        revision_id bigint NOT NULL,
        environment_id bigint NOT NULL,
        totals bytea NOT NULL,
        detail bytea NOT NULL,
        PRIMARY KEY (service_id, profile_type_id, window_start_ms, revision_id, environment_id)
      );
      ALTER TABLE segment ALTER totals SET STORAGE EXTERNAL, ALTER detail SET STORAGE EXTERNAL;

      CREATE TABLE transaction_window (
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
      ) WITH (fillfactor = 70);

      CREATE TABLE series_name (
        service_id bigint NOT NULL,
        id int NOT NULL GENERATED ALWAYS AS IDENTITY,
        name text NOT NULL,
        PRIMARY KEY (service_id, name)
      );
      CREATE TABLE process_series (
        service_id bigint NOT NULL,
        start_ms bigint NOT NULL,
        process_id bigint NOT NULL,
        revision_id bigint NOT NULL,
        environment_id bigint NOT NULL,
        duration_ms int NOT NULL,
        name_id int[] NOT NULL,
        value float8[] NOT NULL,
        PRIMARY KEY (service_id, start_ms, process_id)
      );
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TABLE process_series, series_name, transaction_window, segment, block, profile_window, upload_receipt, batch_receipt, stack_page, stack_head;
    `);
  }
}
