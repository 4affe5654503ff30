import { Module } from '@nestjs/common';
import { StackDictionaries } from './stack-dictionaries.js';
import { StackRepository } from './stack.repository.js';

@Module({
  providers: [
    StackRepository,
    {
      provide: StackDictionaries,
      useFactory: (repository: StackRepository) => new StackDictionaries(repository),
      inject: [StackRepository],
    },
  ],
  exports: [StackDictionaries],
})
export class StacksModule {}
