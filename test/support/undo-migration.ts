import {
  appliedMigrations,
  inDatabaseTransaction,
  withMigrationLock,
  type MigrationClass,
} from '../../apps/server/src/platform/database/index.js';

/** Takes the latest migration back, so that a test can begin before it. */
export async function undoLatestMigration(url: string, migrations: readonly MigrationClass[]): Promise<void> {
  await withMigrationLock(url, async (dataSource) => {
    const latest = (await appliedMigrations(dataSource)).at(-1);
    const migration = migrations.find(({ name }) => name === latest);
    if (migration === undefined) throw new Error(`${latest ?? 'nothing'} is the latest migration, and has no way down here`);
    await inDatabaseTransaction(dataSource, async ({ queryRunner }) => {
      await new migration().down(queryRunner);
      await queryRunner.query('DELETE FROM migration WHERE name = $1', [migration.name]);
    });
  });
}
