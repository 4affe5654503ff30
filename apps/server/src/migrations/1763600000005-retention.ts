import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What grows for ever can go from now on. transaction_window and process_series become partitioned by day, and batch_receipt
 * has a row for each process instead of one for each batch.
 *
 * Copies every row of the three tables, and nobody can write or read them meanwhile: senders wait and try again. A server of
 * the version before cannot take batches any more once this has run.
 */
export class Retention1763600000005 implements MigrationInterface {
  readonly name = 'Retention1763600000005';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE batch_receipt RENAME TO batch_receipt_before;
      ALTER TABLE batch_receipt_before DROP CONSTRAINT batch_receipt_pkey;
      CREATE TABLE batch_receipt (
        service_id bigint NOT NULL,
        process_id bigint NOT NULL,
        sequences int8multirange NOT NULL,
        added int8multirange NOT NULL,
        received_ms bigint NOT NULL,
        PRIMARY KEY (service_id, process_id)
      ) WITH (fillfactor = 50);
      ALTER TABLE batch_receipt ALTER sequences SET STORAGE EXTERNAL, ALTER added SET STORAGE EXTERNAL;
      INSERT INTO batch_receipt
        SELECT service_id, process_id, range_agg(int8range(sequence, sequence, '[]')), '{}', max(received_ms)
        FROM batch_receipt_before GROUP BY service_id, process_id;
      DROP TABLE batch_receipt_before;

      ALTER TABLE transaction_window RENAME TO transaction_window_before;
      ALTER TABLE transaction_window_before DROP CONSTRAINT transaction_window_pkey;
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
      ) PARTITION BY RANGE (window_start_ms);

      ALTER TABLE process_series RENAME TO process_series_before;
      ALTER TABLE process_series_before DROP CONSTRAINT process_series_pkey;
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
      ) PARTITION BY RANGE (start_ms);

      DO $$
      DECLARE
        day bigint;
      BEGIN
        FOR day IN SELECT DISTINCT window_start_ms / 86400000 FROM transaction_window_before LOOP
          EXECUTE format('CREATE TABLE transaction_window_h%s PARTITION OF transaction_window FOR VALUES FROM (%s) TO (%s) WITH (fillfactor = 70)',
            day * 24, day * 86400000, (day + 1) * 86400000);
        END LOOP;
        FOR day IN SELECT DISTINCT start_ms / 86400000 FROM process_series_before LOOP
          EXECUTE format('CREATE TABLE process_series_h%s PARTITION OF process_series FOR VALUES FROM (%s) TO (%s)',
            day * 24, day * 86400000, (day + 1) * 86400000);
        END LOOP;
      END $$;
      INSERT INTO transaction_window SELECT * FROM transaction_window_before;
      INSERT INTO process_series SELECT * FROM process_series_before;
      DROP TABLE transaction_window_before, process_series_before;

      CREATE FUNCTION note_changed_key() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF TG_OP <> 'INSERT' THEN
          EXECUTE format('INSERT INTO %I SELECT %s', TG_ARGV[0], TG_ARGV[1]) USING OLD;
        END IF;
        IF TG_OP <> 'DELETE' THEN
          EXECUTE format('INSERT INTO %I SELECT %s', TG_ARGV[0], TG_ARGV[1]) USING NEW;
        END IF;
        RETURN NULL;
      END $$;

      CREATE TABLE retention_policy (
        project_id bigint PRIMARY KEY,
        days jsonb NOT NULL,
        changed_ms bigint NOT NULL
      );
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TABLE retention_policy;
      ALTER TABLE batch_receipt RENAME TO batch_receipt_after;
      ALTER TABLE batch_receipt_after DROP CONSTRAINT batch_receipt_pkey;
      CREATE TABLE batch_receipt (
        service_id bigint NOT NULL,
        process_id bigint NOT NULL,
        sequence bigint NOT NULL,
        received_ms bigint NOT NULL,
        PRIMARY KEY (service_id, process_id, sequence)
      );
      INSERT INTO batch_receipt
        SELECT service_id, process_id, generate_series(lower(received), upper(received) - 1), received_ms
        FROM batch_receipt_after, unnest(sequences) AS received;
      DROP TABLE batch_receipt_after;

      CREATE TABLE transaction_window_after (LIKE transaction_window);
      INSERT INTO transaction_window_after SELECT * FROM transaction_window;
      DROP TABLE transaction_window;
      ALTER TABLE transaction_window_after RENAME TO transaction_window;
      ALTER TABLE transaction_window SET (fillfactor = 70),
        ADD PRIMARY KEY (service_id, window_start_ms, process_id, revision_id, environment_id, label_set_id, kind, outcome);

      CREATE TABLE process_series_after (LIKE process_series);
      INSERT INTO process_series_after SELECT * FROM process_series;
      DROP TABLE process_series;
      ALTER TABLE process_series_after RENAME TO process_series;
      ALTER TABLE process_series ADD PRIMARY KEY (service_id, start_ms, process_id);
      DROP FUNCTION note_changed_key;
    `);
  }
}
