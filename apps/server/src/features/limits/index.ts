export { DEFAULT_LIMITS, Limits, OTHER } from './limits.js';
export type { ServiceLimits } from './limits.js';
export { LimitsApiModule, LimitsModule } from './limits.module.js';
export type { Quota } from './quotas.repository.js';
