import { Module } from '@nestjs/common';
import { CatalogModule } from '../catalog/index.js';
import { ProfileStoreModule } from '../profile-store/index.js';
import { RollupModule } from '../rollup/index.js';
import { SelectionModule } from '../selection/index.js';
import { SourceMapsModule } from '../source-maps/index.js';
import { TransactionsModule } from '../transactions/index.js';
import { ComparisonSides } from './comparison-sides.js';
import { ComparisonWork } from './comparison-work.js';
import { ComparisonRepository } from './comparison.repository.js';
import { Comparisons } from './comparisons.js';
import { ComparisonsController } from './comparisons.controller.js';

const imports = [CatalogModule, ProfileStoreModule, RollupModule, SelectionModule, SourceMapsModule, TransactionsModule];

/** Role api: asks and answers. */
@Module({ imports, controllers: [ComparisonsController], providers: [ComparisonRepository, ComparisonSides, Comparisons] })
export class ComparisonModule {}

/** Role worker: computes. */
@Module({ imports, providers: [ComparisonRepository, ComparisonSides, ComparisonWork] })
export class ComparisonWorkModule {}
