export { deleteData } from './delete-data.job.js';
export { keepPinned } from './keep-pinned.job.js';
export { RetentionModule, RetentionWorkModule } from './retention.module.js';
