import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Source maps by service and revision, and which files came minified without one. Creates empty tables only. */
export class SourceMaps1763600000014 implements MigrationInterface {
  readonly name = 'SourceMaps1763600000014';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE source_map (
        service_id bigint NOT NULL,
        revision text NOT NULL,
        file text NOT NULL,
        hash text NOT NULL,
        size_bytes bigint NOT NULL,
        stored_bytes bigint NOT NULL,
        uploaded_ms bigint NOT NULL,
        used_ms bigint NOT NULL,
        data bytea NOT NULL,
        PRIMARY KEY (service_id, revision, file)
      );
      ALTER TABLE source_map ALTER data SET STORAGE EXTERNAL;

      CREATE TABLE minified_file (
        service_id bigint NOT NULL,
        revision_id bigint NOT NULL,
        file text NOT NULL,
        first_ms bigint NOT NULL,
        last_ms bigint NOT NULL,
        PRIMARY KEY (service_id, revision_id, file)
      );
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE minified_file, source_map');
  }
}
