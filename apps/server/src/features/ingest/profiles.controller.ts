import { createHash } from 'node:crypto';
import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import { ApiConsumes, ApiOperation, ApiTags } from '@nestjs/swagger';
import { MAX_NAME_LENGTH, PROFILE_TYPE_IDS, resolveProfileTypeId } from '@hearth/profile-model';
import type { BatchesAnswer } from '@hearth/query-contract';
import { z } from 'zod';
import { contentEncoding, QueryOf } from '../../platform/http/index.js';
import { Authorised, type AuthorisedRequest } from '../access/index.js';
import { BodyIntake } from './body-intake.js';
import { ProfileIntake } from './profile-intake.js';

const uploadQuerySchema = z.object({
  service: z.string().min(1).max(MAX_NAME_LENGTH),
  environment: z.string().max(MAX_NAME_LENGTH).default(''),
  revision: z.string().max(MAX_NAME_LENGTH).default(''),
  /** For files that only count samples, as folded stacks: profile type id or its short name. */
  type: z.string().min(1).max(400).optional(),
  /** `call-site`: the lines in the file are those that ran, not those of definitions, which the file itself cannot say. pprof only. */
  lines: z.enum(['none', 'call-site']).default('none'),
});

@ApiTags('ingest')
@Controller('api/v1/profiles')
export class ProfilesController {
  constructor(
    readonly bodies: BodyIntake,
    readonly profiles: ProfileIntake,
  ) {}

  @Post()
  @Authorised('ingest')
  @HttpCode(202)
  @ApiOperation({ summary: 'One profile file: pprof, folded stacks or .cpuprofile, told by its content' })
  @ApiConsumes('application/octet-stream', 'multipart/form-data')
  async take(
    @Req() request: AuthorisedRequest,
    @QueryOf(uploadQuerySchema) query: z.output<typeof uploadQuerySchema>,
  ): Promise<BatchesAnswer> {
    const typeId = query.type === undefined ? PROFILE_TYPE_IDS.cpu : resolveProfileTypeId(query.type);
    const encoding = contentEncoding(request.headers['content-encoding']);
    const outcome = await this.bodies.read(request, (admitted) =>
      this.profiles.take({
        ...admitted,
        sender: {
          service: query.service,
          environment: query.environment,
          revision: query.revision,
          version: '',
          host: request.ip ?? '',
          pid: 0,
          nodeVersion: '',
          agentVersion: 'upload',
          rateHz: 0,
          labels: [],
          // A file is what one process did.
          processKey: createHash('sha256').update(query.service).update('\0').update(admitted.body).digest('hex').slice(0, 32),
          startedAtMs: Date.now(),
        },
        encoding,
        contentType: request.headers['content-type'] ?? '',
        textForm: 'folded',
        hasCallSiteLines: query.lines === 'call-site',
        range: undefined,
        identity: JSON.stringify(query),
        countedAs: { typeId },
      }),
    );
    return { accepted: outcome === 'stored' ? 1 : 0, duplicates: outcome === 'duplicate' ? 1 : 0, rejected: [], commands: [] };
  }
}
