import { Module } from '@nestjs/common';
import { CatalogModule } from '../catalog/index.js';
import { LimitsModule } from '../limits/index.js';
import { MapLookups } from './map-lookups.js';
import { MinifiedCode } from './minified-code.js';
import { MinifiedFiles } from './minified-files.repository.js';
import { OriginalFunctions } from './original-functions.js';
import { SourceMapClaims } from './source-map-claims.repository.js';
import { SourceMapDesk } from './source-map-desk.js';
import { SourceMapIntake } from './source-map-intake.js';
import { SourceMapList } from './source-map-list.js';
import { FunctionFindingThread, MapReadingThread } from './source-map-threads.js';
import { SourceMapsController } from './source-maps.controller.js';
import { SourceMaps } from './source-maps.repository.js';

@Module({
  imports: [CatalogModule],
  providers: [SourceMaps, MinifiedFiles, MinifiedCode],
  exports: [SourceMaps, MinifiedFiles, MinifiedCode],
})
export class SourceMapsModule {}

/** The routes and the naming of functions, for the api role. */
@Module({
  imports: [SourceMapsModule, CatalogModule, LimitsModule],
  controllers: [SourceMapsController],
  providers: [
    OriginalFunctions,
    MapLookups,
    SourceMapIntake,
    SourceMapList,
    SourceMapDesk,
    SourceMapClaims,
    FunctionFindingThread,
    MapReadingThread,
  ],
  exports: [OriginalFunctions, SourceMapsModule],
})
export class SourceMapsApiModule {}
