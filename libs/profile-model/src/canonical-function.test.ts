import { describe, expect, it } from 'vitest';
import { canonicalFunction, scriptNameOf } from './canonical-function.js';

const ROOT = '/srv/releases/20261120/shop';
const placeOf = (scriptName: string, rootDir = ROOT): string => {
  const { package: packageName, file } = canonicalFunction({ name: 'f', scriptName }, rootDir);
  return `${packageName}|${file}`;
};

describe('canonicalFunction', () => {
  it.each([
    ['own code', `${ROOT}/src/cart.js`, '|src/cart.js'],
    ['own code by URL', `file://${ROOT}/src/cart.js`, '|src/cart.js'],
    ['own code that the loader reloaded', `file://${ROOT}/src/cart.js?t=1700000000#x`, '|src/cart.js'],
    ['percent-encoding', 'file:///srv/releases/20261120/shop/src/my%20cart.js', '|src/my cart.js'],
    ['a percent sign that is no encoding', `${ROOT}/src/100%.js`, '|src/100%.js'],
    ['dots and empty segments', `${ROOT}/src//lib/../cart.js`, '|src/cart.js'],
    ['a package', `${ROOT}/node_modules/express/lib/router.js`, 'express|lib/router.js'],
    ['a scoped package', `file://${ROOT}/node_modules/@nestjs/core/router.js`, '@nestjs/core|router.js'],
    ['a nested package', `${ROOT}/node_modules/a/node_modules/@s/b/x.js`, '@s/b|x.js'],
    ['pnpm', `${ROOT}/node_modules/.pnpm/@s+x@1.2.3_y@4/node_modules/@s/x/dist/i.js`, '@s/x|dist/i.js'],
    ['a package above the root', '/srv/node_modules/pg/lib/client.js', 'pg|lib/client.js'],
    [
      'Yarn without node_modules folders',
      '/home/me/.yarn/berry/cache/pg-npm-8.0.0-abc.zip/node_modules/pg/lib/client.js',
      'pg|lib/client.js',
    ],
    ['the runtime', 'node:internal/process/task_queues', 'node|internal/process/task_queues'],
    ['no file', '', 'native|'],
    ['a file that is not known', '?', 'native|'],
    ['a file outside the root', '/opt/tools/lib/x.js', '|.../tools/lib/x.js'],
    ['a file outside the root, below a release', '/opt/app/releases/20261120/lib/x.js', '|.../lib/x.js'],
    ['a file outside the root, in a folder named by a hash', '/tmp/build-1234/3f2a9bc/src/x.js', '|.../src/x.js'],
    ['a folder that only begins like the root', '/srv/releases/20261120/shop2/x.js', '|.../shop2/x.js'],
    ['a bundler', 'webpack://shop/./src/cart.ts', '|src/cart.ts'],
    ['a bundler in development', 'webpack-internal:///./src/cart.ts', '|src/cart.ts'],
    ['code from memory', 'data:text/javascript,export%20default%201', '|data:'],
    ['code of eval', '[eval]', '|[eval]'],
    ['WebAssembly', 'wasm://wasm/parser-0012abcd', '|wasm:'],
    ['a relative path', 'src/cart.js', '|src/cart.js'],
  ])('%s', (_, scriptName, place) => {
    expect(placeOf(scriptName)).toBe(place);
  });

  it('reads Windows paths and URLs, whatever the case of the drive', () => {
    expect(placeOf('C:\\apps\\shop\\src\\cart.js', 'c:\\apps\\shop')).toBe('|src/cart.js');
    expect(placeOf('file:///C:/apps/shop/src/cart.js', 'C:\\apps\\shop\\')).toBe('|src/cart.js');
    expect(placeOf('file:///C:/apps/shop/node_modules/%40s/x/i.js', 'C:\\apps\\shop')).toBe('@s/x|i.js');
    expect(placeOf('\\\\server\\share\\shop\\x.js', '\\\\server\\share\\shop')).toBe('|x.js');
    expect(placeOf('file://server/share/shop/x.js', '\\\\server\\share\\shop')).toBe('|x.js');
    expect(placeOf('D:\\x.js', 'C:\\apps')).toBe('|.../x.js');
  });
  it('takes a root inside node_modules for own code', () => {
    const root = '/usr/lib/node_modules/shop';
    expect(placeOf(`${root}/src/x.js`, root)).toBe('|src/x.js');
    expect(placeOf(`${root}/node_modules/pg/x.js`, root)).toBe('pg|x.js');
  });
  it('keeps a stable end where the root is unknown', () => {
    expect(placeOf('/srv/releases/20261120/shop/src/cart.js', '')).toBe('|.../shop/src/cart.js');
    expect(placeOf('/app/x.js', '/')).toBe('|app/x.js');
  });
  it('names a function without a name', () => {
    expect(canonicalFunction({ name: '', scriptName: 'node:fs' }, '').name).toBe('(anonymous)');
    expect(canonicalFunction({ name: '(garbage collector)', scriptName: '' }, '')).toEqual({
      name: '(garbage collector)',
      package: 'native',
      file: '',
    });
  });
  it('is the same when installed elsewhere', () => {
    for (const file of ['src/x.js', 'node_modules/@s/b/x.js']) {
      expect(placeOf(`/a/1/${file}`, '/a/1')).toBe(placeOf(`file:///b/2/${file}`, 'file:///b/2'));
    }
  });
});

describe('scriptNameOf', () => {
  it('is read back as the same package and file', () => {
    for (const script of [`${ROOT}/src/x.js`, '/opt/lib/x.js', 'node:fs', '', `${ROOT}/node_modules/@s/x/dist/i.js`, 'data:x']) {
      const key = canonicalFunction({ name: 'f', scriptName: script }, ROOT);
      expect(canonicalFunction({ name: 'f', scriptName: scriptNameOf(key) }, '')).toEqual(key);
    }
  });
});
