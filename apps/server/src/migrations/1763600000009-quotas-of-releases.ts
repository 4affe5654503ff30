import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Quotas of environments and releases. Adds two columns that older servers do not know; takes a short lock. */
export class QuotasOfReleases1763600000009 implements MigrationInterface {
  readonly name = 'QuotasOfReleases1763600000009';

  async up(queryRunner: QueryRunner): Promise<void> {
    // NULL: the default of the server that reads it.
    await queryRunner.query('ALTER TABLE project_quota ADD environments_per_service bigint, ADD releases_per_service bigint');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE project_quota DROP environments_per_service, DROP releases_per_service');
  }
}
