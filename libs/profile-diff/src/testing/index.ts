export { findingsOf } from './findings.js';
export type { Findings } from './findings.js';
export { largeComparison } from './large-comparison.js';
export type { LargeComparisonSpec } from './large-comparison.js';
export { seededRandom } from './random.js';
export { describedFleet } from './described-fleet.js';
export type { FleetDescription, SideDescription } from './described-fleet.js';
export { simulateFleet } from './simulated-fleet.js';
export type { FleetSpec, FleetVariation } from './simulated-fleet.js';
