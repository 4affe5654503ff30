import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { BSON, type Document } from 'mongodb';

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const HEADER_BYTES = 16;

/**
 * What of a MongoDB server the tests of waits need, spoken as one does: the real driver talks to it, no server is to be had for tests. It keeps nothing. Commands take
 * as long as the `sleepMs` of their filter or first document says; `fail` is an error, `batches` a cursor of so many batches.
 */
export class MongodbStandIn {
  readonly #server: Server = createServer((socket) => this.#serve(socket));
  readonly #sockets = new Set<Socket>();
  /** Batches that are left, by cursor. */
  readonly #cursors = new Map<string, { left: number; sleepMs: number }>();
  #lastCursor = 0n;

  get url(): string {
    return `mongodb://127.0.0.1:${(this.#server.address() as AddressInfo).port}/?directConnection=true`;
  }

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket)).on('error', () => {});
    let pending = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 4 && pending.length >= pending.readInt32LE(0)) {
        const message = pending.subarray(0, pending.readInt32LE(0));
        pending = pending.subarray(message.length);
        void this.#reply(socket, message);
      }
    });
  }

  async #reply(socket: Socket, message: Buffer): Promise<void> {
    const [requestId, opCode] = [message.readInt32LE(4), message.readInt32LE(12)];
    const answer = BSON.serialize(await this.#answer(opCode === OP_QUERY ? readQuery(message) : readMessage(message)));
    // OP_REPLY: flags, cursor, from, 1 document. OP_MSG: flags, one section of kind 0.
    const head = opCode === OP_QUERY ? Buffer.from([...Array<number>(16).fill(0), 1, 0, 0, 0]) : Buffer.alloc(5);
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeInt32LE(HEADER_BYTES + head.length + answer.length, 0);
    header.writeInt32LE(requestId, 8);
    header.writeInt32LE(opCode === OP_QUERY ? OP_REPLY : OP_MSG, 12);
    socket.write(Buffer.concat([header, head, answer]));
  }

  async #answer(command: Document): Promise<Document> {
    const [name = ''] = Object.keys(command);
    const asked = (command['filter'] ??
      command['query'] ??
      command['documents']?.[0] ??
      command['updates']?.[0]?.q ??
      command['pipeline']?.[0]?.$match ??
      {}) as Document;
    await new Promise((resolve) => setTimeout(resolve, (asked['sleepMs'] as number | undefined) ?? 0));
    if (asked['fail'] !== undefined) return { ok: 0, code: 2, codeName: 'BadValue', errmsg: 'secret value' };
    const namespace = `shop.${String(command['collection'] ?? command[name])}`;
    switch (name) {
      case 'hello':
      case 'isMaster':
      case 'ismaster':
        return {
          ok: 1,
          helloOk: true,
          ismaster: true,
          isWritablePrimary: true,
          maxBsonObjectSize: 2 ** 24,
          maxMessageSizeBytes: 48_000_000,
          maxWriteBatchSize: 100_000,
          minWireVersion: 0,
          maxWireVersion: 21,
          logicalSessionTimeoutMinutes: 30,
          connectionId: 1,
        };
      case 'find':
      case 'aggregate':
        return this.#cursor(namespace, asked, command['pipeline']?.[0]?.$changeStream !== undefined);
      case 'getMore':
        return this.#getMore(namespace, String(command['getMore']));
      case 'insert':
        return { ok: 1, n: (command['documents'] as Document[]).length };
      case 'findAndModify':
        return { ok: 1, value: null };
      case 'update':
        return { ok: 1, n: 1, nModified: 1 };
      case 'ping':
      case 'endSessions':
      case 'killCursors':
        return { ok: 1 };
      default:
        return { ok: 0, code: 59, codeName: 'CommandNotFound', errmsg: `no such command: ${name}` };
    }
  }

  #cursor(ns: string, { batches = 1, sleepMs = 0 }: Document, isWatched: boolean): Document {
    const id = (this.#lastCursor += 1n);
    const left = isWatched ? Infinity : Number(batches) - 1;
    if (left > 0) this.#cursors.set(String(id), { left, sleepMs: isWatched ? 100 : Number(sleepMs) });
    const firstBatch = isWatched ? [] : [{ _id: 1, n: 1 }];
    return { ok: 1, cursor: { id: BSON.Long.fromBigInt(left > 0 ? id : 0n), ns, firstBatch } };
  }

  /** Of a change stream none, after a while. */
  async #getMore(ns: string, id: string): Promise<Document> {
    const cursor = this.#cursors.get(id) ?? { left: 1, sleepMs: 0 };
    await new Promise((resolve) => setTimeout(resolve, cursor.sleepMs));
    cursor.left -= 1;
    const isOpen = cursor.left > 0;
    const nextBatch = cursor.left === Infinity ? [] : [{ _id: cursor.left, n: 1 }];
    return { ok: 1, cursor: { id: BSON.Long.fromString(isOpen ? id : '0'), ns, nextBatch } };
  }
}

/** Flags, a name with its end, two numbers, the command. */
function readQuery(message: Buffer): Document {
  return BSON.deserialize(message.subarray(message.indexOf(0, HEADER_BYTES + 4) + 1 + 8));
}

/** Flags, then sections: a document, or a list that belongs to it under its name. */
function readMessage(message: Buffer): Document {
  const command: Document = {};
  for (let at = HEADER_BYTES + 4; at < message.length;) {
    const kind = message[at]!;
    const end = at + 1 + message.readInt32LE(at + 1);
    if (kind === 0) Object.assign(command, BSON.deserialize(message.subarray(at + 1, end), { promoteLongs: true }));
    else {
      const nameEnd = message.indexOf(0, at + 5);
      const documents: Document[] = [];
      for (let from = nameEnd + 1; from < end; from += message.readInt32LE(from))
        documents.push(BSON.deserialize(message.subarray(from, from + message.readInt32LE(from))));
      command[message.toString('utf8', at + 5, nameEnd)] = documents;
    }
    at = end;
  }
  return command;
}
