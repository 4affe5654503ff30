import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A number for a profile type id, the same for all services: the ids are few, and every block names one. */
@Entity('profile_type')
export class ProfileTypeEntity {
  @PrimaryColumn({ type: 'smallint', generated: 'identity' })
  id: number;

  @Column({ type: 'text', name: 'type_id' })
  typeId: string;
}
