export { deleteData } from './delete-data.job.js';
export { RetentionModule, RetentionWorkModule } from './retention.module.js';
