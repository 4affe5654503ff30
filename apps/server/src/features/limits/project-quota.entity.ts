import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What a project was given instead of the defaults; `null` is the default. */
@Entity('project_quota')
export class ProjectQuotaEntity {
  @PrimaryColumn({ type: 'bigint', name: 'project_id' })
  projectId: number;

  @Column({ type: 'bigint', name: 'profiles_per_minute', nullable: true })
  profilesPerMinute: number | null;

  @Column({ type: 'bigint', name: 'bytes_per_minute', nullable: true })
  bytesPerMinute: number | null;

  @Column({ type: 'bigint', nullable: true })
  services: number | null;

  @Column({ type: 'bigint', name: 'environments_per_service', nullable: true })
  environmentsPerService: number | null;

  @Column({ type: 'bigint', name: 'releases_per_service', nullable: true })
  releasesPerService: number | null;

  @Column({ type: 'bigint', name: 'processes_per_service', nullable: true })
  processesPerService: number | null;

  @Column({ type: 'bigint', name: 'label_sets_per_service', nullable: true })
  labelSetsPerService: number | null;

  @Column({ type: 'bigint', name: 'transaction_names_per_service', nullable: true })
  transactionNamesPerService: number | null;
}
