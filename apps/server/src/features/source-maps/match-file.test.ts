import { describe, expect, it } from 'vitest';
import { matchFile } from './match-file.js';

const maps = ['apps/api/dist/server.js', 'apps/api/dist/jobs/index.js', 'apps/web/dist/jobs/index.js'];

describe('matchFile', () => {
  it.each([
    ['the same path', 'apps/api/dist/server.js', 'apps/api/dist/server.js'],
    ['the end of a path, as in an image that got one folder', 'dist/server.js', 'apps/api/dist/server.js'],
    ['the name alone', 'server.js', 'apps/api/dist/server.js'],
    ['a file outside of the root', '.../dist/server.js', 'apps/api/dist/server.js'],
    ['a longer path than that of the map', 'srv/apps/api/dist/server.js', 'apps/api/dist/server.js'],
    ['a file that another path ends in', 'api/dist/jobs/index.js', 'apps/api/dist/jobs/index.js'],
  ])('finds %s', (_, file, expected) => {
    expect(matchFile(maps, file)).toBe(expected);
  });

  it.each([
    ['a path that two maps end in', 'jobs/index.js'],
    ['another folder of the same name of file', 'src/server.js'],
    ['a name that only ends alike', 'my-server.js'],
  ])('finds nothing for %s', (_, file) => {
    expect(matchFile(maps, file)).toBeUndefined();
  });

  it('prefers the map that tells more of the path', () => {
    expect(matchFile(['server.js', 'dist/server.js'], 'apps/api/dist/server.js')).toBe('dist/server.js');
  });
});
