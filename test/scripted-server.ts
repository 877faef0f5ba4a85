// An HTTP server on the loopback that answers as a test says.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { ClusterAccess } from '#runtime/kube/api-server/access.ts';

export type Answering = (request: IncomingMessage, response: ServerResponse) => void;

export class ScriptedServer {
  /** How the next requests are answered; a test sets it. */
  answer: Answering = (_, response) => response.end('{}');
  /** "METHOD path" of every request. */
  readonly requests: string[] = [];
  readonly headers: IncomingMessage['headers'][] = [];
  readonly bodies: string[] = [];
  /** How many connections were ever made. */
  connections = 0;
  readonly #open = new Set<Socket>();
  readonly #server = createServer((request, response) => this.#receive(request, response));

  async start(): Promise<void> {
    this.#server.on('connection', (socket) => {
      this.connections += 1;
      this.#open.add(socket);
      socket.on('close', () => this.#open.delete(socket));
    });
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  async stop(): Promise<void> {
    this.#open.forEach((socket) => socket.destroy());
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** The connections that are open now carry nothing more, as if the network had swallowed them. */
  freeze(): void {
    this.#open.forEach((socket) => socket.removeAllListeners('data').pause());
  }

  get openConnections(): number {
    return this.#open.size;
  }

  access(user: Partial<ClusterAccess['user']> = {}, path = ''): ClusterAccess {
    const { port } = this.#server.address() as AddressInfo;
    return {
      server: `http://127.0.0.1:${port}${path}`,
      tls: () => ({ rejectUnauthorized: true }),
      user: { name: 'tester', ...user },
    };
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    this.requests.push(`${request.method} ${request.url}`);
    this.headers.push(request.headers);
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      this.bodies.push(body);
      this.answer(request, response);
    });
  }
}

export function answerJson(code: number, body: object, headers: Record<string, string> = {}): Answering {
  return (_, response) => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
}
