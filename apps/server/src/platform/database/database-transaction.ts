import type { PoolClient } from 'pg';
import type { DataSource, QueryRunner } from 'typeorm';

export type IsolationLevel = 'READ COMMITTED' | 'REPEATABLE READ' | 'SERIALIZABLE';

/** One database transaction: `client` is the very connection it runs on, as COPY needs it; `queryRunner` is TypeORM's view of the same. */
export interface DatabaseTransaction {
  readonly client: PoolClient;
  readonly queryRunner: QueryRunner;
}

/** Runs `work` in one database transaction; commits when it resolves, rolls back and throws on when it does not. */
export async function inDatabaseTransaction<Result>(
  dataSource: DataSource,
  work: (transaction: DatabaseTransaction) => Promise<Result>,
  isolation: IsolationLevel = 'READ COMMITTED',
): Promise<Result> {
  const queryRunner = dataSource.createQueryRunner();
  try {
    const client = (await queryRunner.connect()) as PoolClient;
    await queryRunner.startTransaction(isolation);
    try {
      const result = await work({ client, queryRunner });
      await queryRunner.commitTransaction();
      return result;
    } catch (error) {
      // With the connection gone the rollback fails too; the first error is the one that tells.
      await queryRunner.rollbackTransaction().catch(() => undefined);
      throw error;
    }
  } finally {
    await queryRunner.release();
  }
}
