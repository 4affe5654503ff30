import { Module } from '@nestjs/common';
import { LineRecordings } from './line-recordings.repository.js';

@Module({ providers: [LineRecordings], exports: [LineRecordings] })
export class LinesModule {}
