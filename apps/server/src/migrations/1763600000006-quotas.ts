import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a project may send, and what went beyond it. Creates empty tables only; older servers do not know them and go on. */
export class Quotas1763600000006 implements MigrationInterface {
  readonly name = 'Quotas1763600000006';

  async up(queryRunner: QueryRunner): Promise<void> {
    // NULL: the default of the server that reads it.
    await queryRunner.query(`
      CREATE TABLE project_quota (
        project_id bigint PRIMARY KEY REFERENCES project (id) ON DELETE CASCADE,
        profiles_per_minute bigint,
        bytes_per_minute bigint,
        services bigint,
        processes_per_service bigint,
        label_sets_per_service bigint,
        transaction_names_per_service bigint
      );
      CREATE TABLE limit_hit (
        project_id bigint NOT NULL REFERENCES project (id) ON DELETE CASCADE,
        service text NOT NULL,
        code text NOT NULL,
        outcome text NOT NULL CHECK (outcome IN ('folded', 'dropped', 'refused')),
        count bigint NOT NULL,
        first_ms bigint NOT NULL,
        last_ms bigint NOT NULL,
        PRIMARY KEY (project_id, service, code)
      ) WITH (fillfactor = 70);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE limit_hit, project_quota');
  }
}
