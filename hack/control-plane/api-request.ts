// A few plain requests to an API server, for setting things up: no cache, no retries, no watch.

import { type RequestOptions, request } from 'node:https';

export interface ApiAccess {
  readonly url: string;
  /** Whom to trust, and perhaps a client certificate. */
  readonly tls: Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized'>;
  /** Sent with every request: the bearer token. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From the root, with the query: `/api/v1/namespaces?limit=1`. */
  readonly path: string;
  readonly body?: unknown;
  /** `application/json` unless given; a PATCH needs its own. */
  readonly contentType?: string;
}

/** The server answered, with something else than success. */
export class ApiRequestError extends Error {
  override readonly name = 'ApiRequestError';
  readonly status: number;

  constructor(asked: ApiRequest, status: number, answer: string) {
    super(`${asked.method} ${asked.path}: ${status} ${messageOf(answer)}`);
    this.status = status;
  }
}

function messageOf(answer: string): string {
  try {
    return (JSON.parse(answer) as { message?: string }).message ?? answer;
  } catch {
    return answer;
  }
}

/** Access with a bearer token, trusting the certificates of `ca` (PEM) alone. */
export function tokenAccess(url: string, ca: string, token: string): ApiAccess {
  return { url, tls: { ca }, headers: { authorization: `Bearer ${token}` } };
}

/**
 * Sends one request on a connection of its own and returns the decoded JSON answer. Throws `ApiRequestError` where the
 * server refuses, and the connection's own error where it cannot be reached or does not answer within ten seconds.
 */
export async function apiRequest<T = unknown>(access: ApiAccess, asked: ApiRequest): Promise<T> {
  const { status, text } = await send(access, asked);
  if (status < 200 || status > 299) throw new ApiRequestError(asked, status, text);
  return JSON.parse(text) as T;
}

/** True where the server says that it is ready to serve; false where it says otherwise or nothing. */
export async function isReady(access: ApiAccess): Promise<boolean> {
  const answer = await send(access, { method: 'GET', path: '/readyz' }).catch(() => undefined);
  return answer?.status === 200;
}

function send(access: ApiAccess, asked: ApiRequest): Promise<{ status: number; text: string }> {
  const body = asked.body === undefined ? undefined : JSON.stringify(asked.body);
  const options: RequestOptions = {
    ...access.tls,
    method: asked.method,
    agent: false,
    timeout: 10_000,
    headers: { ...access.headers, 'content-type': asked.contentType ?? 'application/json' },
  };
  return new Promise((resolve, reject) => {
    const sent = request(new URL(asked.path, access.url), options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') });
      });
    });
    sent.on('timeout', () => sent.destroy(new Error(`${asked.method} ${asked.path}: no answer within 10 s`)));
    sent.on('error', reject);
    sent.end(body);
  });
}
