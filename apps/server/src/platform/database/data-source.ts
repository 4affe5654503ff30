import pg from 'pg';
import { DataSource, type DataSourceOptions, type MixedList } from 'typeorm';

const INT8_OID = 20;
const INT8_ARRAY_OID = 1016;

/** Our ids, counts and milliseconds stay below 2^53, so int8 is a number. For our pools only: the queue has its own. */
const typesWithInt8AsNumber = {
  getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
    if (format !== 'binary' && oid === INT8_OID) return Number;
    if (format !== 'binary' && oid === INT8_ARRAY_OID)
      return (value) => (value === '{}' ? [] : value.slice(1, -1).split(',').map(Number));
    return pg.types.getTypeParser(oid, format) as (value: string) => unknown;
  },
};

/** What connections of running servers call themselves in `pg_stat_activity`. */
export const APPLICATION_NAME = 'hearth';

export interface DatabasePlace {
  readonly url: string;
  /** Connections this process may hold for its own queries. Default 10. */
  readonly poolSize?: number;
  /** Default: that of a server. */
  readonly applicationName?: string;
}

/** Options of every data source: int8 as number, no schema synchronisation. */
export function dataSourceOptions({ url, poolSize = 10, applicationName = APPLICATION_NAME }: DatabasePlace) {
  return {
    type: 'postgres',
    url,
    synchronize: false,
    poolSize,
    applicationName,
    // A connection that breaks while idle is replaced at the next query, which reports a database that is away.
    poolErrorHandler: () => undefined,
    connectTimeoutMS: 5_000,
    extra: { types: typesWithInt8AsNumber },
  } as const satisfies DataSourceOptions;
}

/** A connected data source outside Nest, as tests and scripts need it. Call `destroy()` when done. */
export async function connectDataSource(place: DatabasePlace, entities: MixedList<Function> = []): Promise<DataSource> {
  return new DataSource({ ...dataSourceOptions(place), entities }).initialize();
}
