export { StackDictionaries } from './stack-dictionaries.js';
export { StackError } from './stack-error.js';
export { StackRepository } from './stack.repository.js';
export { StacksModule } from './stacks.module.js';
