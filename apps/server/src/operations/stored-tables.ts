import type { ClientBase } from 'pg';
import type { BackupHead, TableHead } from './backup-format.js';

/** Of the schema that Hearth's tables live in: ordinary ones and parents of partitions, but no extension's. */
const TABLES = `
  SELECT class.oid, class.relname AS name FROM pg_class AS class
  WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition AND relpersistence <> 't'
    AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = class.oid AND deptype = 'e')`;

/** Every table there is, in alphabetical order. */
export async function listTables(client: ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(`SELECT name FROM (${TABLES}) AS tables ORDER BY name`);
  return rows.map(({ name }) => name);
}

/** Functions and procedures with their arguments, as SQL names them; no extension's. */
export async function listRoutines(client: ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(`
    SELECT oid::regprocedure::text AS name FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
      AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e')`);
  return rows.map(({ name }) => name);
}

/** What the tables look like and in which order they can be loaded: what another one refers to comes before it. */
export async function describeTables(client: ClientBase): Promise<TableHead[]> {
  const columns = await client.query<{ table: string; name: string; type: string }>(`
    SELECT tables.name AS "table", attname AS name, format_type(atttypid, atttypmod) AS type
    FROM (${TABLES}) AS tables JOIN pg_attribute ON attrelid = tables.oid
    WHERE attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY tables.name, attnum`);
  const partitions = await client.query<{ table: string; name: string; bound: string; kind: string; storage: string[] }>(`
    SELECT tables.name AS "table", class.relname AS name, pg_get_expr(relpartbound, class.oid) AS bound, relkind AS kind,
      coalesce(reloptions, '{}') AS storage
    FROM (${TABLES}) AS tables JOIN pg_inherits ON inhparent = tables.oid JOIN pg_class AS class ON class.oid = inhrelid
    ORDER BY tables.name, class.relname`);
  const nested = partitions.rows.find(({ kind }) => kind !== 'r');
  if (nested !== undefined) throw new Error(`${nested.name} is a partition that has partitions: a backup cannot hold that yet`);
  const references = await client.query<{ from: string; to: string }>(`
    SELECT DISTINCT child.relname AS "from", parent.relname AS "to" FROM pg_constraint
    JOIN pg_class AS child ON child.oid = conrelid JOIN pg_class AS parent ON parent.oid = confrelid
    WHERE contype = 'f' AND conrelid <> confrelid AND child.relnamespace = current_schema()::regnamespace`);
  const tables = (await listTables(client)).map((name) => ({
    name,
    columns: columns.rows.filter((row) => row.table === name).map((row) => ({ name: row.name, type: row.type })),
    partitions: partitions.rows.filter((row) => row.table === name).map(({ name, bound, storage }) => ({ name, bound, storage })),
  }));
  return inLoadOrder(tables, references.rows);
}

/** Numbers given out last; a sequence that has given none is left out. */
export async function readSequences(client: ClientBase): Promise<BackupHead['sequences']> {
  const { rows } = await client.query<{ name: string; last: number }>(`
    SELECT sequencename AS name, last_value AS last FROM pg_sequences
    WHERE schemaname = current_schema() AND last_value IS NOT NULL ORDER BY sequencename`);
  return rows;
}

/** Bytes on disk of the rows of each table, with its partitions and large values and without its indexes. */
export async function tableBytes(client: ClientBase): Promise<Map<string, number>> {
  const { rows } = await client.query<{ name: string; bytes: number }>(`
    SELECT name, (SELECT coalesce(sum(pg_table_size(relid)), 0) FROM (
      SELECT tables.oid::regclass AS relid UNION SELECT relid FROM pg_partition_tree(tables.oid)) AS parts)::bigint AS bytes
    FROM (${TABLES}) AS tables`);
  return new Map(rows.map(({ name, bytes }) => [name, bytes]));
}

/** For SQL. Names from a backup were checked when it was read; this is for those that are words of SQL. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function inLoadOrder(tables: readonly TableHead[], references: readonly { from: string; to: string }[]): TableHead[] {
  const ordered: TableHead[] = [];
  let left = [...tables];
  while (left.length > 0) {
    const names = new Set(left.map(({ name }) => name));
    const free = left.filter(({ name }) => !references.some(({ from, to }) => from === name && names.has(to)));
    if (free.length === 0) throw new Error(`tables refer to each other in a circle: ${[...names].join(', ')}`);
    ordered.push(...free);
    left = left.filter((table) => !free.includes(table));
  }
  return ordered;
}
