import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What lines cost, where lines were recorded. Creates an empty table only. */
export class LineRecordings1763600000013 implements MigrationInterface {
  readonly name = 'LineRecordings1763600000013';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE line_recording (
        service_id bigint NOT NULL,
        start_ms bigint NOT NULL,
        id uuid NOT NULL DEFAULT gen_random_uuid(),
        profile_type_id smallint NOT NULL,
        revision_id bigint NOT NULL,
        environment_id bigint NOT NULL,
        process_id bigint NOT NULL,
        duration_ms int NOT NULL,
        label_set_ids bigint[] NOT NULL,
        data bytea NOT NULL,
        PRIMARY KEY (service_id, start_ms, id)
      ) PARTITION BY RANGE (start_ms);
      ALTER TABLE line_recording ALTER data SET STORAGE EXTERNAL;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE line_recording');
  }
}
