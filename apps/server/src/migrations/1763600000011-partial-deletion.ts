import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Orders to delete a part of a service, and an end for those that cannot be carried out. Takes short locks on two small tables.
 *
 * `deletion.status` becomes `state`, because a worker of the version before knows no parts: it would take an order about a label for one about
 * the whole service. It fails instead, and leaves the order to a newer one. Ingest of the version before does not look at
 * `label_generation`: let all servers be new before ordering the deletion of a label.
 */
export class PartialDeletion1763600000011 implements MigrationInterface {
  readonly name = 'PartialDeletion1763600000011';

  async up(queryRunner: QueryRunner): Promise<void> {
    // A selector of NULL: the whole service. Ids: what the label stood for when it was ordered.
    await queryRunner.query(`
      ALTER TABLE deletion RENAME COLUMN status TO state;
      ALTER TABLE deletion
        DROP CONSTRAINT deletion_status_check,
        ADD CONSTRAINT deletion_state_check CHECK (state IN ('pending', 'running', 'done', 'failed')),
        ADD COLUMN selector jsonb,
        ADD COLUMN label_set_ids bigint[] NOT NULL DEFAULT '{}',
        ADD COLUMN process_ids bigint[] NOT NULL DEFAULT '{}',
        ADD COLUMN changed_tables text[] NOT NULL DEFAULT '{}',
        ADD COLUMN attempts int NOT NULL DEFAULT 0,
        ADD COLUMN next_attempt_ms bigint NOT NULL DEFAULT 0,
        ADD COLUMN error_code text,
        ADD COLUMN error_message text;
      ALTER TABLE service ADD COLUMN label_generation bigint NOT NULL DEFAULT 0;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    // What the version before would misunderstand, or has no word for.
    await queryRunner.query(`
      ALTER TABLE service DROP COLUMN label_generation;
      DELETE FROM deletion WHERE selector IS NOT NULL OR state = 'failed';
      ALTER TABLE deletion
        DROP CONSTRAINT deletion_state_check, DROP COLUMN selector, DROP COLUMN label_set_ids, DROP COLUMN process_ids, DROP COLUMN changed_tables,
        DROP COLUMN attempts, DROP COLUMN next_attempt_ms, DROP COLUMN error_code, DROP COLUMN error_message;
      ALTER TABLE deletion RENAME COLUMN state TO status;
      ALTER TABLE deletion ADD CONSTRAINT deletion_status_check CHECK (status IN ('pending', 'running', 'done'));
    `);
  }
}
