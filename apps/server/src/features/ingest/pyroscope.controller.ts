import { createHash } from 'node:crypto';
import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiConsumes, ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import { contentEncoding } from '../../platform/http/index.js';
import { Authorised, type AuthorisedRequest } from '../access/index.js';
import { BodyIntake } from './body-intake.js';
import { ProfileIntake } from './profile-intake.js';
import { parsePyroscopeQuery, type PyroscopeUpload } from './pyroscope-request.js';

/** The push API of Pyroscope, at its own addresses, so that its clients need only another server address. */
@ApiTags('ingest')
@Controller()
export class PyroscopeController {
  constructor(
    readonly bodies: BodyIntake,
    readonly profiles: ProfileIntake,
  ) {}

  @Post(['ingest', 'pyroscope/ingest'])
  @Authorised('ingest')
  @HttpCode(200)
  @ApiOperation({
    summary: 'A profile from a Pyroscope client: the file as the body, or as the part "profile" of a multipart body',
  })
  @ApiConsumes('application/octet-stream', 'multipart/form-data')
  @ApiQuery({ name: 'name', description: 'app{tag=value,...}' })
  @ApiQuery({ name: 'from', required: false, description: 'Unix seconds' })
  @ApiQuery({ name: 'until', required: false, description: 'Unix seconds' })
  @ApiQuery({ name: 'format', required: false, description: 'pprof, groups, folded or lines; told by the content if left out' })
  @ApiQuery({ name: 'sampleRate', required: false, description: 'Samples per second, for formats that only count samples' })
  async take(@Req() request: AuthorisedRequest): Promise<Record<string, never>> {
    const query = request.originalUrl.split('?').slice(1).join('?');
    const upload = parsePyroscopeQuery(new URLSearchParams(query), Date.now());
    const encoding = contentEncoding(request.headers['content-encoding']);
    await this.bodies.read(request, (admitted) =>
      this.profiles.take({
        ...admitted,
        sender: senderOf(upload, request.ip ?? ''),
        encoding,
        contentType: request.headers['content-type'] ?? '',
        textForm: upload.form === 'lines' ? 'lines' : 'folded',
        hasCallSiteLines: false,
        range: upload,
        identity: query,
        countedAs: upload,
      }),
    );
    return {};
  }
}

/** These clients do not name their process: an address with one set of tags stands for it. */
function senderOf(upload: PyroscopeUpload, address: string) {
  const { service, tags, environment, revision, version, host, agentVersion, nodeVersion, fromMs, sampleRateHz } = upload;
  const processKey = createHash('sha256')
    .update(JSON.stringify([service, tags, address]))
    .digest('hex')
    .slice(0, 32);
  return {
    service,
    environment,
    revision,
    version,
    processKey,
    startedAtMs: fromMs,
    host: host || address,
    pid: 0,
    nodeVersion,
    agentVersion,
    rateHz: sampleRateHz,
    labels: tags,
  };
}
