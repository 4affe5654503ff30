import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import bundled, { setupLambdaEnvironment } from '@sparticuz/chromium';
import { chromium, type Browser, type BrowserContext } from 'playwright-core';

const SYSTEM_BROWSERS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
];
/** Without these the bundled browser does not start; they come with it, but are unpacked only where it believes to be on Lambda. */
const NSS_LIBRARIES = ['/usr/lib/x86_64-linux-gnu/libnss3.so', '/usr/lib64/libnss3.so', '/usr/lib/libnss3.so'];
/** Root may not use the sandbox, and containers have little shared memory. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-dev-shm-usage',
  '--disable-gpu',
  '--font-render-hinting=none',
  '--force-color-profile=srgb',
];

/**
 * Before tests: the Chromium of the npm package is unpacked into the system's temporary folder, where a second process would take a
 * half-written one for the whole.
 */
export async function setup(): Promise<void> {
  if (systemBrowser() === undefined) await unpackBundled();
}

/** A headless Chromium: `CHROMIUM_PATH`, then one of this machine, then the one in the npm package. */
export async function launchBrowser(): Promise<Browser> {
  const system = systemBrowser();
  if (system !== undefined) return chromium.launch({ executablePath: system, args: ARGUMENTS });
  const unpacked = await unpackBundled();
  return chromium.launch({
    executablePath: unpacked.executablePath,
    args: [...ARGUMENTS, '--no-zygote'],
    env: { ...ownEnvironment(), ...unpacked.environment },
  });
}

function systemBrowser(): string | undefined {
  return [process.env['CHROMIUM_PATH'], ...SYSTEM_BROWSERS].find((path) => path !== undefined && path !== '' && existsSync(path));
}

async function unpackBundled(): Promise<{ executablePath: string; environment: Record<string, string> }> {
  const before = { ...process.env };
  if (!NSS_LIBRARIES.some((path) => existsSync(path))) {
    process.env['AWS_EXECUTION_ENV'] ??= 'AWS_Lambda_nodejs20.x';
    setupLambdaEnvironment(join(tmpdir(), 'al2023', 'lib'));
  }
  const executablePath = await bundled.executablePath();
  // It points the whole process at its libraries; only the browser is to use them.
  const environment: Record<string, string> = {};
  for (const name of ['LD_LIBRARY_PATH', 'FONTCONFIG_PATH', 'HOME']) {
    const value = process.env[name];
    if (value !== undefined && value !== before[name]) environment[name] = value;
    if (before[name] === undefined) delete process.env[name];
    else process.env[name] = before[name];
  }
  if (before['AWS_EXECUTION_ENV'] === undefined) delete process.env['AWS_EXECUTION_ENV'];
  return { executablePath, environment };
}

function ownEnvironment(): Record<string, string> {
  return Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** A fresh visitor: no cookie, no stored theme. What goes to another origin is refused and noted. */
export async function openContext(
  browser: Browser,
  options: { scheme: 'light' | 'dark'; widthPx?: number; heightPx?: number; ratio?: number },
): Promise<BrowserContext & { readonly foreignRequests: string[] }> {
  const { scheme, widthPx = 1440, heightPx = 900, ratio = 1 } = options;
  const context = await browser.newContext({
    viewport: { width: widthPx, height: heightPx },
    colorScheme: scheme,
    deviceScaleFactor: ratio,
    locale: 'en-GB',
    timezoneId: 'UTC',
    reducedMotion: 'reduce',
  });
  const foreignRequests: string[] = [];
  await context.route(
    (url) => url.hostname !== '127.0.0.1' && url.hostname !== 'localhost',
    (route) => {
      foreignRequests.push(route.request().url());
      return route.abort();
    },
  );
  return Object.assign(context, { foreignRequests });
}
