import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Controller, Get, Header, StreamableFile } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { HearthError } from '../../platform/http/index.js';
import { Public } from '../access/index.js';

/** Packed by the build, beside this server in the checkout and in the image. */
const agentFile = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../../agent/dist-pack/agent.tgz');

/** Nothing is published: a server hands out the very agent that it understands. */
@ApiTags('install')
@Controller('install')
@Public()
export class InstallController {
  @Get('agent.tgz')
  @Header('Cache-Control', 'no-cache')
  @ApiOperation({ summary: 'The agent as an npm package: npm i http://HOST:4040/install/agent.tgz' })
  async agent(): Promise<StreamableFile> {
    const found = await stat(agentFile).catch(() => undefined);
    if (found === undefined)
      throw new HearthError('AGENT_NOT_PACKED', 'this server was built without its agent: run npm run build', { status: 404 });
    return new StreamableFile(createReadStream(agentFile), {
      type: 'application/gzip',
      length: found.size,
      disposition: 'attachment; filename="hearth-agent.tgz"',
    });
  }
}
