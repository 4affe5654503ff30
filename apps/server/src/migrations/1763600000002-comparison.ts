import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Adds comparison. A row is the work: pending before it is a job, leased while it runs, so the queue may forget it. */
export class Comparison1763600000002 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE comparison (
        service_id      bigint NOT NULL,
        id              text   NOT NULL,  -- service id and hash of what is compared: the same question has the same id
        project_id      bigint NOT NULL,
        created_ms      bigint NOT NULL,
        baseline        jsonb  NOT NULL,  -- resolved selection
        candidate       jsonb  NOT NULL,
        status          text   NOT NULL CHECK (status IN ('pending', 'running', 'done', 'failed')),
        attempts        integer NOT NULL DEFAULT 0,
        lease_id        text,             -- of the worker that runs it
        leased_until_ms bigint,           -- past: that worker is gone
        finished_ms     bigint,
        result          bytea,            -- deflated JSON
        error_code      text,
        error_message   text,
        PRIMARY KEY (service_id, id)
      )`);
    // Deflated already.
    await queryRunner.query('ALTER TABLE comparison ALTER result SET STORAGE EXTERNAL');
    await queryRunner.query(
      `CREATE INDEX comparison_unfinished ON comparison (service_id, id) WHERE status IN ('pending', 'running')`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE comparison');
  }
}
