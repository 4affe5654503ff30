import { describeTables, quoted, readSequences } from '../../apps/server/src/operations/stored-tables.js';
import { inDatabaseTransaction, type connectDataSource } from '../../apps/server/src/platform/database/index.js';
import { functionTexts, tableTexts } from '../support/schema-text.js';

/** Everything in a small database of ours as SQL that builds it again, in text that can be read and compared. */
export async function dumpDatabase(database: Awaited<ReturnType<typeof connectDataSource>>): Promise<string> {
  const texts = await tableTexts(database, { constraintNames: true });
  const functions = await functionTexts(database);
  return inDatabaseTransaction(
    database,
    async ({ client }) => {
      const tables = await describeTables(client);
      const lines = ['CREATE SEQUENCE migration_id_seq AS integer;', '', ...functions]; // the sequence is that of the one column that is no identity
      for (const { name, columns, partitions } of tables) {
        lines.push(texts.get(name)!);
        for (const { name: partition, bound, storage = [] } of partitions)
          lines.push(
            `CREATE TABLE ${partition} PARTITION OF ${name} ${bound}${storage.length === 0 ? '' : ` WITH (${storage.join(', ')})`};`,
          );
        const list = columns.map((column) => quoted(column.name));
        const { rows } = await client.query<{ row: string }>(
          `SELECT concat_ws(', ', ${list.map((column) => `quote_nullable(${column}::text)`).join(', ')}) AS row FROM ${quoted(name)} ORDER BY 1`,
        );
        if (rows.length === 0) continue;
        lines.push(
          `INSERT INTO ${name} (${list.join(', ')}) OVERRIDING SYSTEM VALUE VALUES`,
          `${rows.map(({ row }) => `  (${row})`).join(',\n')};`,
          '',
        );
      }
      for (const { name, last } of await readSequences(client)) lines.push(`SELECT setval('${name}', ${last});`);
      return `${lines.join('\n')}\n`;
    },
    'REPEATABLE READ',
  );
}
