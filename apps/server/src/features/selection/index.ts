export { SelectionModule } from './selection.module.js';
export { SelectionResolver, livedWithin, observedMs, selectionFromResolved } from './selection-resolver.js';
export type { ProfileScope, ResolveOptions, ResolvedScopeRequest, Scope, ScopeRequest } from './selection-resolver.js';
export { overlap, resolveRange, wholeMinutes } from './time-range.js';
