export { AccessApiModule, AccessModule } from './access.module.js';
export { Authorised, PERMISSION, ProjectId, Public } from './authorised.js';
export type { AuthorisedRequest } from './authorised.js';
export { Projects } from './projects.repository.js';
