import { AccessAndCatalog1763600000000 } from './1763600000000-access-and-catalog.js';

/** Every migration, oldest first. */
export const MIGRATIONS = [AccessAndCatalog1763600000000];
