import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Controller, Get, Header, StreamableFile } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { HearthError } from '../../platform/http/index.js';
import { Public } from '../access/index.js';

/** Packed by the build, beside this server in the checkout and in the image. */
const appsDir = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../..');

/** Nothing is published: a server hands out the very agent and command line that it understands. */
@ApiTags('install')
@Controller('install')
@Public()
export class InstallController {
  @Get('agent.tgz')
  @Header('Cache-Control', 'no-cache')
  @ApiOperation({ summary: 'The agent as an npm package: npm i http://HOST:4040/install/agent.tgz' })
  async agent(): Promise<StreamableFile> {
    return packed('agent', 'AGENT_NOT_PACKED');
  }

  @Get('cli.tgz')
  @Header('Cache-Control', 'no-cache')
  @ApiOperation({ summary: 'The command line as an npm package: npx http://HOST:4040/install/cli.tgz --help' })
  async cli(): Promise<StreamableFile> {
    return packed('cli', 'CLI_NOT_PACKED');
  }
}

async function packed(app: 'agent' | 'cli', missingCode: string): Promise<StreamableFile> {
  const file = path.join(appsDir, app, 'dist-pack', `${app}.tgz`);
  const found = await stat(file).catch(() => undefined);
  if (found === undefined)
    throw new HearthError(missingCode, `this server was built without its ${app}: run npm run build`, { status: 404 });
  return new StreamableFile(createReadStream(file), {
    type: 'application/gzip',
    length: found.size,
    disposition: `attachment; filename="hearth-${app}.tgz"`,
  });
}
