/** In UTF-16 units. `encodeBatch` cuts what is longer, because `decodeBatches` refuses it, and with it the batch. */
export const MAX_TEXT_LENGTH = 4096;
/** Of a label's name or value: each of thousands of label sets may name the same text. */
export const MAX_LABEL_LENGTH = 1024;
