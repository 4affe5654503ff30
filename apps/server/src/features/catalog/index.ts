export { CatalogApiModule, CatalogModule } from './catalog.module.js';
export { Catalog } from './catalog.repository.js';
export type { EnvironmentRow, ProcessRow, RevisionRow, ServiceRow } from './catalog.repository.js';
export { Deploys } from './deploys.repository.js';
export { LabelSets } from './label-sets.repository.js';
export { Origins, UNKNOWN_REVISION } from './origins.repository.js';
export type { Origin, Sender, Sighting } from './origins.repository.js';
export { ProfileTypes } from './profile-types.repository.js';
export type { ProfileTypeRow } from './profile-types.repository.js';
