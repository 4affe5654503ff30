/** What can be wrong with a profile. Each code has a section in docs/errors/profiles.md. */
export type ProfileErrorCode =
  | 'PROFILE_STACK_ORDER'
  | 'PROFILE_STACK_FUNCTION'
  | 'PROFILE_COLUMN_LENGTH'
  | 'PROFILE_SAMPLE_STACK'
  | 'PROFILE_SAMPLE_LABEL_SET'
  | 'PROFILE_SAMPLE_VALUE'
  | 'PROFILE_TYPE_ID'
  | 'PROFILE_TYPES_DIFFER'
  | 'PROFILE_TIME'
  | 'SKETCH_BUCKET'
  | 'LABEL_MATCHER'
  | 'LABEL_SET_ORDER';

/** A profile breaks an invariant of profile.ts. Callers branch on `code`, never on the message. */
export class ProfileError extends Error {
  override readonly name = 'ProfileError';
  readonly code: ProfileErrorCode;

  constructor(code: ProfileErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
