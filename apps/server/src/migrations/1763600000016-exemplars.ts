import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The slowest transactions, each kept whole. Creates an empty table only; a server of the version before leaves it empty. */
export class Exemplars1763600000016 implements MigrationInterface {
  readonly name = 'Exemplars1763600000016';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE exemplar (
        service_id bigint NOT NULL,
        window_start_ms bigint NOT NULL,
        id uuid NOT NULL DEFAULT gen_random_uuid(),
        name_hash uuid NOT NULL,
        label_set_id bigint NOT NULL,
        revision_id bigint NOT NULL,
        environment_id bigint NOT NULL,
        process_id bigint NOT NULL,
        kind smallint NOT NULL,
        outcome smallint NOT NULL,
        start_ms bigint NOT NULL,
        duration_us bigint NOT NULL,
        cpu_us bigint NOT NULL,
        awaited_us bigint NOT NULL,
        sample_count bigint NOT NULL,
        kept_sample_count int NOT NULL,
        wait_count bigint NOT NULL,
        span_count int NOT NULL,
        context jsonb NOT NULL,
        inputs jsonb NOT NULL,
        body bytea NOT NULL,
        PRIMARY KEY (service_id, window_start_ms, id)
      ) PARTITION BY RANGE (window_start_ms);
      ALTER TABLE exemplar ALTER body SET STORAGE EXTERNAL;
      CREATE INDEX exemplar_name ON exemplar (service_id, name_hash, window_start_ms);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE exemplar');
  }
}
