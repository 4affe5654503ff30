export { CatalogApiModule, CatalogModule } from './catalog.module.js';
export { Catalog } from './catalog.repository.js';
export type { ProcessRow, ServiceRow } from './catalog.repository.js';
export { Deploys } from './deploys.repository.js';
export { LabelSets } from './label-sets.repository.js';
export { Origins } from './origins.repository.js';
export type { FoundOrigin, Sender, Sighting } from './origins.repository.js';
export { ProcessStarts } from './process-starts.repository.js';
export { ProfileTypes } from './profile-types.repository.js';
