/** Longest name of a service, environment, revision or series, in UTF-16 units: senders, questions and deploys keep to it, so that what was sent can be asked for. */
export const MAX_NAME_LENGTH = 200;
