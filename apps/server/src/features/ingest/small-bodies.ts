/**
 * Bodies that are read where they came in, because handing what was read from one thread to the other costs more than reading: a few milliseconds at the
 * worst. Larger ones, and those that inflate to more, go to a thread.
 */
export const SMALL_BODY_BYTES = 64 * 1024;
export const SMALL_INFLATED_BYTES = 384 * 1024;
/** Of all stacks of a profile file together. */
export const SMALL_FRAMES = 200_000;
/** Of all label sets of a profile file together: each is made a text of, by which it is found again. */
export const SMALL_LABEL_CHARACTERS = 2 ** 20;
/** Functions and stacks that are gone through for lines: each profile with lines goes through all of them. */
export const SMALL_LINE_VISITS = 100_000;
/** Of the batches of a body, as they are counted when they are read: a few bytes can stand for a label set of 64 labels. */
export const SMALL_DECODED_BYTES = 4 * 2 ** 20;
