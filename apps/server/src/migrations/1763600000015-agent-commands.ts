import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What agents are asked to do. Creates an empty table only. */
export class AgentCommands1763600000015 implements MigrationInterface {
  readonly name = 'AgentCommands1763600000015';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE agent_command (
        service_id bigint NOT NULL,
        id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
        kind text NOT NULL,
        process_keys text[] NOT NULL,
        duration_ms int NOT NULL,
        issued_ms bigint NOT NULL,
        expires_ms bigint NOT NULL,
        PRIMARY KEY (service_id, id)
      );
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE agent_command');
  }
}
