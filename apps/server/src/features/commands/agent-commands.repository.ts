import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { EpochMs } from '@hearth/profile-model';
import type { OfferedCommand } from '@hearth/query-contract';
import type { Logger } from 'pino';
import { LessThan, MoreThan, Repository } from 'typeorm';
import { LOGGER } from '../../platform/observability/index.js';
import { AgentCommandEntity } from './agent-command.entity.js';

export type AgentCommand = Readonly<AgentCommandEntity>;

/** How late a server hears of a command that was given to another. */
const REMEMBERED_MS = 2_000;
/** Commands that are over are still listed for so long. */
const LISTED_MS = 86_400_000;
const MAX_LISTED = 200;
/** Of all services together: what is beyond waits until some have expired. */
const MAX_OFFERED = 10_000;

interface OpenCommand extends Pick<AgentCommand, 'id' | 'kind' | 'processKeys' | 'durationMs' | 'functions' | 'files'> {
  readonly projectId: number;
}

/** Owns agent_command: what agents are to be asked when they next send. */
@Injectable()
export class AgentCommands {
  #offers: ReadonlyMap<string, readonly OfferedCommand[]> = new Map();
  #readAtMs: EpochMs = -Infinity;
  #reading: Promise<void> | undefined;

  constructor(
    @InjectRepository(AgentCommandEntity) readonly table: Repository<AgentCommandEntity>,
    @Inject(LOGGER) readonly logger: Logger,
  ) {}

  /** Also forgets those of the service that are long over. */
  async add(command: Omit<AgentCommand, 'id'>): Promise<AgentCommand> {
    await this.table.delete({ serviceId: command.serviceId, expiresMs: LessThan(command.issuedMs - LISTED_MS) });
    const { identifiers } = await this.table.insert(command);
    this.#readAtMs = -Infinity;
    return { ...command, id: Number(identifiers[0]!.id) };
  }

  /** Those of the last day, the latest first. */
  async list(serviceId: number, nowMs: EpochMs): Promise<AgentCommand[]> {
    return this.table.find({
      where: { serviceId, expiresMs: MoreThan(nowMs - LISTED_MS) },
      order: { id: 'DESC' },
      take: MAX_LISTED,
    });
  }

  async countOpen(serviceId: number, nowMs: EpochMs): Promise<number> {
    return this.table.countBy({ serviceId, expiresMs: MoreThan(nowMs) });
  }

  /**
   * What is to be asked of these processes, the same at each call until it expires. As of two seconds ago at most; where the database does not
   * answer, as of its last answer: a batch is not refused for it.
   */
  async offersTo(projectId: number, processKeys: Iterable<string>, nowMs: EpochMs): Promise<OfferedCommand[]> {
    if (nowMs - this.#readAtMs > REMEMBERED_MS) {
      this.#reading ??= this.#read(nowMs).finally(() => {
        this.#reading = undefined;
      });
      await this.#reading;
    }
    if (this.#offers.size === 0) return [];
    return [...new Set(processKeys)].flatMap((key) => this.#offers.get(offerKey(projectId, key)) ?? []);
  }

  async #read(nowMs: EpochMs): Promise<void> {
    try {
      const open = (await this.table.query(
        `SELECT service.project_id AS "projectId", agent_command.id, kind, process_keys AS "processKeys", duration_ms AS "durationMs", functions, files
         FROM agent_command JOIN service ON service.id = agent_command.service_id
         WHERE expires_ms > $1 ORDER BY agent_command.id LIMIT ${MAX_OFFERED}`,
        [nowMs],
      )) as OpenCommand[];
      const offers = new Map<string, OfferedCommand[]>();
      for (const { projectId, processKeys, ...command } of open)
        for (const process of processKeys) {
          const key = offerKey(projectId, process);
          offers.set(key, [...(offers.get(key) ?? []), offerTo(process, command)]);
        }
      this.#offers = offers;
    } catch (error) {
      this.logger.warn({ err: error }, 'commands for agents could not be read');
    }
    this.#readAtMs = nowMs;
  }
}

const offerKey = (projectId: number, processKey: string): string => `${projectId} ${processKey}`;

function offerTo(
  process: string,
  { id, kind, durationMs, functions, files }: Omit<OpenCommand, 'projectId' | 'processKeys'>,
): OfferedCommand {
  return { id: String(id), kind, process, durationMs, ...(kind === 'count-calls' && { functions, files }) };
}
