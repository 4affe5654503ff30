import { AccessAndCatalog1763600000000 } from './1763600000000-access-and-catalog.js';
import { ProfileStore1763600000001 } from './1763600000001-profile-store.js';
import { Comparison1763600000002 } from './1763600000002-comparison.js';
import { Levels1763600000003 } from './1763600000003-levels.js';
import { StackEpochs1763600000004 } from './1763600000004-stack-epochs.js';
import { Retention1763600000005 } from './1763600000005-retention.js';
import { Quotas1763600000006 } from './1763600000006-quotas.js';
import { QuotasOfReleases1763600000009 } from './1763600000009-quotas-of-releases.js';
import { PartialDeletion1763600000011 } from './1763600000011-partial-deletion.js';
import { PinnedRevisions1763600000012 } from './1763600000012-pinned-revisions.js';
import { LineRecordings1763600000013 } from './1763600000013-line-recordings.js';
import { SourceMaps1763600000014 } from './1763600000014-source-maps.js';
import { AgentCommands1763600000015 } from './1763600000015-agent-commands.js';
import { Exemplars1763600000016 } from './1763600000016-exemplars.js';
import { SourceMapClaims1763600000017 } from './1763600000017-source-map-claims.js';
import { CountedCalls1763600000018 } from './1763600000018-counted-calls.js';

/** Every migration, oldest first. */
export const MIGRATIONS = [
  AccessAndCatalog1763600000000,
  ProfileStore1763600000001,
  Comparison1763600000002,
  Levels1763600000003,
  StackEpochs1763600000004,
  Retention1763600000005,
  Quotas1763600000006,
  QuotasOfReleases1763600000009,
  PartialDeletion1763600000011,
  PinnedRevisions1763600000012,
  LineRecordings1763600000013,
  SourceMaps1763600000014,
  AgentCommands1763600000015,
  Exemplars1763600000016,
  SourceMapClaims1763600000017,
  CountedCalls1763600000018,
];
