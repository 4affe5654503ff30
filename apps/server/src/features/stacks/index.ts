export { StackDictionaries, STACK_DICTIONARY_OPTIONS } from './stack-dictionaries.js';
export type { StackDictionaryOptions } from './stack-dictionaries.js';
export type { StackTables } from './stack-dictionary.js';
export { StackError } from './stack-error.js';
export type { StackErrorCode } from './stack-error.js';
export { StackRepository } from './stack.repository.js';
export { StacksModule } from './stacks.module.js';
