export { SelectionModule } from './selection.module.js';
export { SelectionResolver, livedWithin, observedMs, selectionFromResolved } from './selection-resolver.js';
export type { ProfileScope, Scope, ScopeRequest } from './selection-resolver.js';
export { overlap } from './time-range.js';
