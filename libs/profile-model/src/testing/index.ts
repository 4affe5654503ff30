export { callTreeToText } from './call-tree-to-text.js';
export { profileFromText } from './profile-from-text.js';
export type { TextProfileHead } from './profile-from-text.js';
export { profileToLines } from './profile-to-lines.js';
export { randomProfile } from './random-profile.js';
export type { RandomProfileSize } from './random-profile.js';
