export { RetentionModule, RetentionWorkModule } from './retention.module.js';
