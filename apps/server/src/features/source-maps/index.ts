export { MinifiedCode } from './minified-code.js';
export { MinifiedFiles } from './minified-files.repository.js';
export { OriginalFunctions } from './original-functions.js';
export type { FunctionPlaces } from './original-functions.js';
export { SourceMapsApiModule, SourceMapsModule } from './source-maps.module.js';
export { SourceMaps } from './source-maps.repository.js';
