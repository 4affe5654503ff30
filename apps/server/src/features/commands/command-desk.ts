import { Injectable } from '@nestjs/common';
import type { EpochMs } from '@hearth/profile-model';
import type { CommandAnswer, CommandKind, CommandRequest } from '@hearth/query-contract';
import { HearthError } from '../../platform/http/index.js';
import { Catalog, type ProcessRow } from '../catalog/index.js';
import { AgentCommands, type AgentCommand } from './agent-commands.repository.js';

/** Every agent sends within a minute; one that does not is away. */
const EXPIRE_MS = 120_000;
/** What is counted slows its process down. */
const DEFAULT_DURATION_MS: Record<CommandKind, number> = { 'record-lines': 60_000, 'raise-rate': 60_000, 'count-calls': 10_000 };
/** Open commands of one service: an agent looks at eight of an answer. */
const MAX_OPEN = 8;
/** What our agents call themselves: not uploads, Pyroscope clients and processes that stand for many, who would not listen. */
const OWN_KEY = /^[0-9a-f]{32}$/;
const OWN_VERSION = /^\d/;

/** Takes commands for the agents of a service. */
@Injectable()
export class CommandDesk {
  constructor(
    readonly catalog: Catalog,
    readonly commands: AgentCommands,
  ) {}

  /** @throws {HearthError} `SERVICE_NOT_FOUND`, `NO_PROCESS_LISTENS` 409, `TOO_MANY_COMMANDS` 429 */
  async give(
    projectId: number,
    serviceName: string,
    request: CommandRequest,
    nowMs: EpochMs = Date.now(),
  ): Promise<CommandAnswer> {
    const { id: serviceId } = await this.catalog.serviceNamed(projectId, serviceName);
    const listening = await this.#listening(serviceId, request, nowMs);
    if (listening.length === 0)
      throw new HearthError(
        'NO_PROCESS_LISTENS',
        `no ${request.process === undefined ? 'process' : 'such process'} with an agent of Hearth has sent within the last ${EXPIRE_MS / 60_000} minutes`,
        { status: 409 },
      );
    if ((await this.commands.countOpen(serviceId, nowMs)) >= MAX_OPEN)
      throw new HearthError('TOO_MANY_COMMANDS', `${MAX_OPEN} commands are open for this service: wait until some have expired`, {
        status: 429,
        retryAfterSeconds: EXPIRE_MS / 1_000,
      });
    const command = await this.commands.add({
      serviceId,
      kind: request.kind,
      processKeys: listening.slice(0, request.processes).map(({ key }) => key),
      durationMs: request.durationMs ?? DEFAULT_DURATION_MS[request.kind],
      functions: request.functions,
      files: request.files,
      issuedMs: nowMs,
      expiresMs: nowMs + EXPIRE_MS,
    });
    return toAnswer(command);
  }

  /** Those of the last day, at most 200, the latest first. @throws {HearthError} `SERVICE_NOT_FOUND` */
  async list(projectId: number, serviceName: string): Promise<CommandAnswer[]> {
    const { id } = await this.catalog.serviceNamed(projectId, serviceName);
    return (await this.commands.list(id, Date.now())).map(toAnswer);
  }

  /** The last heard of first. */
  async #listening(serviceId: number, { environment, process }: CommandRequest, nowMs: EpochMs): Promise<ProcessRow[]> {
    const [environments, processes] = await Promise.all([
      this.catalog.environments(serviceId),
      this.catalog.processes(serviceId),
    ]);
    const wanted = environments.filter(({ name }) => environment === undefined || name === environment).map(({ id }) => id);
    return processes.filter(
      ({ key, agentVersion, lastSeenMs, environmentId }) =>
        lastSeenMs > nowMs - EXPIRE_MS &&
        OWN_KEY.test(key) &&
        OWN_VERSION.test(agentVersion) &&
        (process === undefined || process === key) &&
        wanted.includes(environmentId),
    );
  }
}

function toAnswer({ id, kind, processKeys, durationMs, functions, files, issuedMs, expiresMs }: AgentCommand): CommandAnswer {
  const named = kind === 'count-calls' && { functions, files };
  return { id: String(id), kind, processes: processKeys, durationMs, ...named, issuedMs, expiresMs };
}
