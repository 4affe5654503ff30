import { Module } from '@nestjs/common';
import { StackDictionaries } from './stack-dictionaries.js';
import { StackRepository } from './stack.repository.js';

@Module({ providers: [StackRepository, StackDictionaries], exports: [StackDictionaries] })
export class StacksModule {}
