import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Names in commands for agents. Rewrites nothing: constant defaults. A server of the version before offers such a command without its names, which agents leave alone. */
export class CountedCalls1763600000018 implements MigrationInterface {
  readonly name = 'CountedCalls1763600000018';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE agent_command
        ADD COLUMN functions text[] NOT NULL DEFAULT '{}',
        ADD COLUMN files text[] NOT NULL DEFAULT '{}';
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE agent_command DROP COLUMN functions, DROP COLUMN files');
  }
}
