export { SelectionModule } from './selection.module.js';
export { SelectionResolver, livedWithin, observedMs } from './selection-resolver.js';
export type { ProfileScope, ResolveOptions, Scope, ScopeRequest } from './selection-resolver.js';
export { isSameRange, overlap } from './time-range.js';
