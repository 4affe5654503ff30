import { Module } from '@nestjs/common';
import { CatalogModule } from '../catalog/index.js';
import { RollupModule } from '../rollup/index.js';
import { SelectionResolver } from './selection-resolver.js';

@Module({ imports: [CatalogModule, RollupModule], providers: [SelectionResolver], exports: [SelectionResolver] })
export class SelectionModule {}
