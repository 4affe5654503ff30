export type DeletionStatus = 'pending' | 'running' | 'done';

/** One order to delete, and how far it is. */
export interface DeletionAnswer {
  readonly id: string;
  readonly service: string;
  readonly status: DeletionStatus;
  /** Pieces of work (tables, or partitions of tables) that are done, and how many there are; 0 of 0 until it is known. */
  readonly steps: { readonly done: number; readonly total: number };
  readonly rowsRemoved: number;
  /** Of disk that came back so far. */
  readonly bytesReturned: number;
  readonly createdMs: number;
  readonly finishedMs: number | null;
}
