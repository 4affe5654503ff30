import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which source maps some process is about to send, so that others of its revision do not. Creates an empty table only. */
export class SourceMapClaims1763600000017 implements MigrationInterface {
  readonly name = 'SourceMapClaims1763600000017';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE source_map_claim (
        service_id bigint NOT NULL,
        revision text NOT NULL,
        file text NOT NULL,
        until_ms bigint NOT NULL,
        PRIMARY KEY (service_id, revision, file)
      );
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE source_map_claim');
  }
}
