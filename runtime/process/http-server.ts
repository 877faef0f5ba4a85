// What an operator of the site and Kubernetes' probes ask of a process: /metrics, /healthz, /readyz.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';
import type { Logger } from './log.ts';

/** By name, as they are now: the reason why not, or undefined where all is well. */
export type Checks = () => Readonly<Record<string, string | undefined>>;

export interface HttpServerOptions {
  /** 127.0.0.1 for this machine alone, 0.0.0.0 or :: for everybody. */
  address: string;
  /** 0 takes a free one. */
  port: number;
  metrics: Registry;
  /** Wrong here: the process should be started anew. */
  healthy: Checks;
  /** Wrong here: the process cannot do its work just now. */
  ready: Checks;
  logger: Logger;
}

export interface HttpServer {
  readonly port: number;
  /** Answers what has been asked, then closes; after a second, closes in any case. */
  close(): Promise<void>;
}

interface Answer {
  status: number;
  type: string;
  body: string;
}

const CLOSE_LIMIT_MS = 1000;

/** Resolves once it listens; rejects with a message that names address and port. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { address, port, logger } = options;
  const server = createServer(
    { requestTimeout: 10_000 },
    (request, response) => void respond(options, request, response),
  );
  await listen(server, port, address);
  const bound = portOf(server);
  logger.info('serving metrics and health', { address, port: bound });
  return { port: bound, close: async () => close(server) };
}

async function listen(server: Server, port: number, address: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'the port is taken, choose another' : cause.message;
      reject(new Error(`cannot serve metrics and health on ${address} port ${port}: ${why}`, { cause }));
    });
    server.listen(port, address, resolve);
  });
}

function portOf(server: Server): number {
  const bound = server.address();
  if (typeof bound !== 'object' || bound === null) throw new TypeError('the server listens on no TCP port');
  return bound.port;
}

async function close(server: Server): Promise<void> {
  const cut = setTimeout(() => server.closeAllConnections(), CLOSE_LIMIT_MS);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
  clearTimeout(cut);
}

async function respond(options: HttpServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const { status, type, body } = await answerTo(options, request);
    response.writeHead(status, { 'content-type': type });
    response.end(request.method === 'HEAD' ? undefined : body);
  } catch (error) {
    options.logger.error('a request could not be answered', { path: request.url, error });
    response.writeHead(500).end();
  }
}

async function answerTo({ metrics, healthy, ready }: HttpServerOptions, request: IncomingMessage): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return text(405, 'only GET is answered here\n');
  }
  switch (request.url?.split('?')[0]) {
    case '/metrics':
      return { status: 200, type: metrics.contentType, body: await metrics.metrics() };
    case '/healthz':
      return checked(healthy);
    case '/readyz':
      return checked(ready);
    default:
      return text(404, 'there are /metrics, /healthz and /readyz here\n');
  }
}

function checked(checks: Checks): Answer {
  const results = Object.entries(checks()).map(([name, fault]) => ({ name, fault }));
  const lines = results.map(({ name, fault }) => (fault === undefined ? `[+] ${name}` : `[-] ${name}: ${fault}`));
  const well = results.every(({ fault }) => fault === undefined);
  return text(well ? 200 : 503, [...lines, well ? 'ok' : 'failed', ''].join('\n'));
}

function text(status: number, body: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body };
}
