export { configureHttp, configureOpenApi } from './configure-http.js';
export { HearthError } from './hearth-error.js';
export { contentEncoding } from './inflate.js';
export type { ContentEncoding } from './inflate.js';
export { parseTime } from './parse-time.js';
export { isDatabaseAway, toHearthError } from './problem-filter.js';
export { readBody } from './read-body.js';
export { BodyOf, QueryOf } from './request-schema.js';
