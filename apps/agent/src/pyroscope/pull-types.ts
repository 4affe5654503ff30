/** What of an Express request, response and `next` is used. */
export interface ExpressRequest {
  method: string;
  path: string;
  query: Record<string, unknown>;
}
export interface ExpressResponse {
  readonly headersSent?: boolean;
  status(code: number): this;
  send(body: unknown): this;
}
export type ExpressNextFunction = (error?: unknown) => void;
export type ExpressMiddleware = (request: ExpressRequest, response: ExpressResponse, next: ExpressNextFunction) => void;

/** What of a Fastify instance, request and reply is used. */
export interface FastifyRequest {
  query: unknown;
}
export interface FastifyReply {
  readonly sent?: boolean;
  status(code: number): FastifyReply;
  type(contentType: string): FastifyReply;
  send(payload?: unknown): FastifyReply;
}
export interface FastifyInstance {
  get(path: string, handler: (request: FastifyRequest, reply: FastifyReply) => Promise<void>): unknown;
}
export type FastifyPlugin = (fastify: FastifyInstance, options: unknown, done: (error?: Error) => void) => void;
