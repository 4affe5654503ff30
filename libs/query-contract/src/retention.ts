import { z } from 'zod';

/** Kinds of stored data that are forgotten at times of their own. */
export const RETENTION_TIERS = ['minutes', 'hours', 'days', 'transactions', 'series', 'comparisons'] as const;
export type RetentionTier = (typeof RETENTION_TIERS)[number];

/** How long each tier of a project is kept, in days. */
export type RetentionDays = Readonly<Record<RetentionTier, number>>;

/**
 * How long things are kept unless a project says otherwise, in days.
 *
 * - Minutes: 3. Single flushes and minutes are looked at while something is going on; after that they are hours.
 * - Hours: 90. A quarter, in which releases are compared and single processes told apart by the hour; after that they are days.
 * - Days, and what releases are compared by: 400. This week against the same a year ago.
 * - Transactions and series: 90, as long as profiles tell processes apart, because rates divide one by the other.
 * - Comparisons: 90. What was asked is in the address; the same question can be asked again while its profiles are there.
 */
export const DEFAULT_RETENTION_DAYS: RetentionDays = {
  minutes: 3,
  hours: 90,
  days: 400,
  transactions: 90,
  series: 90,
  comparisons: 90,
};

/** Ten years: longer is another word for always. */
const MAX_DAYS = 3_650;
const daysOf = (tier: RetentionTier) => z.number().int().min(1).max(MAX_DAYS).default(DEFAULT_RETENTION_DAYS[tier]);

/** What is left out takes its default; a name that is none is refused, because that default may delete what it was meant to keep. Minutes become hours and hours days, so none is kept shorter than the finer one. */
export const retentionRequestSchema = z
  .strictObject({
    minutes: daysOf('minutes'),
    hours: daysOf('hours'),
    days: daysOf('days'),
    transactions: daysOf('transactions'),
    series: daysOf('series'),
    comparisons: daysOf('comparisons'),
  })
  .refine(
    ({ minutes, hours, days }) => minutes <= hours && hours <= days,
    'minutes are kept no longer than hours, hours no longer than days',
  );

export interface RetentionAnswer {
  readonly days: RetentionDays;
  readonly defaultDays: RetentionDays;
}

/** Rows and bytes on disk, estimated. */
export interface RetentionAmount {
  readonly rows: number;
  readonly bytes: number;
}

/** What a policy would leave, and what it would remove of what is there now. */
export interface RetentionEstimateAnswer {
  readonly tiers: readonly {
    readonly tier: RetentionTier;
    readonly days: number;
    readonly stays: RetentionAmount;
    readonly goes: RetentionAmount;
  }[];
  /** What is there only for pinned revisions, which no policy removes. */
  readonly pins: RetentionAmount;
}
