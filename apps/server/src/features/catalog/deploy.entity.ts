import { Column, Entity, PrimaryColumn } from 'typeorm';

/** `announced` by POST /deploys, or `seen` when the first batch of a revision came from an environment. */
export type DeploySource = 'announced' | 'seen';

@Entity('deploy')
export class DeployEntity {
  @PrimaryColumn({ type: 'bigint', name: 'service_id' })
  serviceId: number;

  @PrimaryColumn({ type: 'bigint', generated: 'identity' })
  id: number;

  @Column({ type: 'bigint', name: 'environment_id' })
  environmentId: number;

  @Column({ type: 'bigint', name: 'revision_id' })
  revisionId: number;

  @Column({ type: 'bigint', name: 'at_ms' })
  atMs: number;

  @Column({ type: 'text' })
  version: string;

  @Column({ type: 'text' })
  branch: string;

  @Column({ type: 'text' })
  source: DeploySource;
}
