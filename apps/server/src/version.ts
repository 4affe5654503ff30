/** Of this server; the numbers of formats and of the schema are others (CONTRIBUTING.md). */
export const VERSION = '0.1.0';
