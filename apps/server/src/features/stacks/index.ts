export { epochOf, epochOfPinned, epochRange, pinnedRevisionOf } from './epoch.js';
export type { Epoch, EpochKey, UsedEpoch } from './epoch.js';
export { joinFunctions } from './join-functions.js';
export { StackDictionaries } from './stack-dictionaries.js';
export type { InternedStacks } from './stack-dictionaries.js';
export type { StackTables } from './stack-dictionary.js';
export { StackError } from './stack-error.js';
export { holdEpochs, readStackHeads, StackRepository } from './stack.repository.js';
export { StacksModule } from './stacks.module.js';
