import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Months from January 1970, UTC. */
const epochOf = (time: string) => `((extract(year FROM ${time}) - 1970) * 12 + extract(month FROM ${time}) - 1)::int`;

/**
 * One stack dictionary for each service and month. What there was is copied for every month that has windows and for those into which
 * profiles may come now, so that stored ids keep their meaning; takes the size of the dictionaries for each. A server of before cannot add stacks any more.
 */
export class StackEpochs1763600000004 implements MigrationInterface {
  readonly name = 'StackEpochs1763600000004';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE stack_head RENAME TO stack_head_before;
      ALTER INDEX stack_head_pkey RENAME TO stack_head_before_pkey;
      ALTER TABLE stack_page RENAME TO stack_page_before;
      ALTER INDEX stack_page_pkey RENAME TO stack_page_before_pkey;
      CREATE TABLE stack_head (
        service_id bigint NOT NULL,
        epoch int NOT NULL,
        generation bigint NOT NULL,  -- drawn when the epoch is made: pages of another one are others
        version int NOT NULL,
        PRIMARY KEY (service_id, epoch)
      ) WITH (fillfactor = 70);
      CREATE TABLE stack_page (
        service_id bigint NOT NULL,
        epoch int NOT NULL,
        version int NOT NULL,
        data bytea NOT NULL,
        PRIMARY KEY (service_id, epoch, version)
      );
      ALTER TABLE stack_page ALTER data SET STORAGE EXTERNAL;

      INSERT INTO stack_head (service_id, epoch, generation, version)
        SELECT service_id, epoch, 1, version FROM stack_head_before JOIN (
          SELECT DISTINCT service_id, ${epochOf('start')} AS epoch
          FROM (SELECT service_id, to_timestamp(window_start_ms / 1000) AT TIME ZONE 'UTC' AS start FROM profile_window) AS started
          UNION
          SELECT service_id, ${epochOf('now')} FROM stack_head_before,
            unnest(ARRAY[now() AT TIME ZONE 'UTC' - interval '7 days', now() AT TIME ZONE 'UTC']) AS now
        ) AS used USING (service_id);
      INSERT INTO stack_page (service_id, epoch, version, data)
        SELECT page.service_id, head.epoch, page.version, page.data
        FROM stack_page_before AS page JOIN stack_head AS head ON head.service_id = page.service_id;
      DROP TABLE stack_page_before, stack_head_before;
    `);
  }

  /** Only while all dictionaries of a service still begin alike: afterwards one id means several stacks. */
  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE stack_head RENAME TO stack_head_after;
      ALTER INDEX stack_head_pkey RENAME TO stack_head_after_pkey;
      ALTER TABLE stack_page RENAME TO stack_page_after;
      ALTER INDEX stack_page_pkey RENAME TO stack_page_after_pkey;
      CREATE TABLE stack_head (
        service_id bigint PRIMARY KEY,
        version int NOT NULL
      );
      CREATE TABLE stack_page (
        service_id bigint NOT NULL,
        version int NOT NULL,
        data bytea NOT NULL,
        PRIMARY KEY (service_id, version)
      );
      ALTER TABLE stack_page ALTER data SET STORAGE EXTERNAL;

      INSERT INTO stack_head (service_id, version) SELECT service_id, max(version) FROM stack_head_after GROUP BY service_id;
      INSERT INTO stack_page (service_id, version, data)
        SELECT DISTINCT service_id, version, data FROM stack_page_after;  -- the key refuses pages that differ
      DROP TABLE stack_page_after, stack_head_after;
    `);
  }
}
