import type { FoundMaps } from './find-maps.js';
import type { SendResult } from './send-map.js';

export interface UploadOptions {
  readonly dir: string;
  /** `undefined` here and below: not given. */
  readonly service: string | undefined;
  readonly revision: string | undefined;
  readonly root: string | undefined;
  readonly url: string | undefined;
  readonly key: string | undefined;
  readonly sources: 'sent' | 'left-out';
  readonly mode: 'upload' | 'dry-run';
  readonly output: 'text' | 'json';
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/** What is uploaded, for whom and where to. */
export interface UploadPlan {
  readonly url: URL;
  readonly service: string;
  readonly revision: string;
  readonly revisionSource: string;
  readonly root: string;
  readonly found: FoundMaps;
}

/** `undefined`: nothing was sent. */
export type UploadResult = SendResult | undefined;
