/**
 * Bodies that are read where they came in, because handing what was read from one thread to the other costs more than reading: a few milliseconds at the
 * worst. Larger ones, and those that inflate to more, go to a thread.
 */
export const SMALL_BODY_BYTES = 64 * 1024;
export const SMALL_INFLATED_BYTES = 384 * 1024;
/** Of all stacks of a profile file together. */
export const SMALL_FRAMES = 200_000;
