import { describe, expect, it } from 'vitest';
import { uploadCommand } from './minified-hint.js';

const command = (service: string, file: string, revision = '3f2a9bc') =>
  uploadCommand(service, { file, revision, hasMap: false }, { origin: 'http://hearth:4040' });

describe('uploadCommand', () => {
  it('names folder, service and revision', () => {
    expect(command('shop', 'dist/server.js')).toBe(
      [
        'HEARTH_URL=http://hearth:4040 HEARTH_KEY=<ingest key> npx http://hearth:4040/install/cli.tgz source-maps upload dist \\',
        '  --service shop --revision 3f2a9bc',
      ].join('\n'),
    );
  });
  it('names the folder of a file at the root, and of one outside of it', () => {
    expect(command('shop', 'server.js')).toContain('upload . ');
    expect(command('shop', '.../app/dist/server.js')).toContain('upload app/dist ');
  });
  it('lets no name run anything', () => {
    expect(command("a'; rm -rf /; '", '$(x)/y.js', 'r`x`')).toContain(
      String.raw`upload '$(x)' ${'\\'}` + '\n' + String.raw`  --service 'a'\''; rm -rf /; '\''' --revision 'r` + '`x`' + "'",
    );
  });
});
