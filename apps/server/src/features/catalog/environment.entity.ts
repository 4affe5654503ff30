import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Where a service runs: `production`, `staging`, ... */
@Entity('environment')
export class EnvironmentEntity {
  @PrimaryColumn({ type: 'bigint', name: 'service_id' })
  serviceId: number;

  @PrimaryColumn({ type: 'bigint', generated: 'identity' })
  id: number;

  @Column({ type: 'text' })
  name: string;
}
