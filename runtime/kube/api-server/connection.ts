// One API server over keep-alive connections: few, shared by all requests, and others for watches, which hold theirs.
import type { Clock } from '#runtime/clock/clock.ts';
import { withDeadline } from '#runtime/clock/deadline.ts';
import { isKubeError, KubeError } from '../errors.ts';
import type { ClusterAccess } from './access.ts';
import { Credentials, type Identity } from './credentials.ts';
import { errorOfAnswer, errorOfFailure, isSilence } from './errors.ts';
import { type Answer, Pool, requestOn } from './undici.ts';

export interface ConnectionOptions {
  readonly access: ClusterAccess;
  readonly clock: Clock;
  /** "name/version"; the API server takes the name as the field manager. */
  readonly userAgent: string;
  /** Requests at a time, each on a connection of its own; 16 by default. More wait for their turn. */
  readonly maxRequests?: number;
  /** From the call to the end of its answer; 30 seconds by default. */
  readonly requestTimeoutMs?: number;
  /** Longer answers are refused; 64 MiB by default. */
  readonly maxResponseBytes?: number;
}

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** With the query. */
  readonly path: string;
  readonly contentType?: string;
  readonly body?: object;
  readonly signal?: AbortSignal | undefined;
}

interface Pools {
  readonly identity: Identity;
  readonly requests: Pool;
  readonly watches: Pool;
}

type Work<R> = (pools: Pools) => Promise<R>;

const CONNECT_TIMEOUT_MS = 5_000;

/** The first bytes come soon even of a long answer, and at once of a watch. */
const FIRST_BYTE_TIMEOUT_MS = 10_000;
/** At a time; each has a connection of its own. */
const MAX_WATCHES = 64;

/** Below the 90 s after which the API server drops an idle connection, so that no request meets one on its way out. */
const IDLE_CONNECTION_MS = 60_000;

/** Half-open connections show within 20 seconds: Linux asks 10 times, a second apart, after this. */
const TCP_KEEP_ALIVE_MS = 10_000;

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #credentials: Credentials;
  /** For what begins now. */
  #pools: Pools | undefined;
  /** All that are not closed yet. */
  readonly #open = new Set<Pool>();

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#credentials = new Credentials(options.access.user, options.clock);
  }

  /** The JSON of the answer. Rejects with a KubeError for everything else. */
  async request(request: ApiRequest): Promise<unknown> {
    const { clock, requestTimeoutMs: milliseconds = 30_000 } = this.#options;
    const { signal } = request;
    return this.#authenticated(signal, (pools) =>
      withDeadline({ clock, milliseconds, signal }, async (limited) => {
        const answer = await this.#send(pools.requests, pools.identity, { ...request, signal: limited });
        return jsonOf(await succeeded(answer));
      }),
    );
  }

  /** The bytes of an answer that goes on. The caller must read them to the end or abort the signal. */
  async stream(path: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    return this.#authenticated(signal, async (pools) => {
      const answer = await this.#send(pools.watches, pools.identity, { method: 'GET', path, signal });
      return this.#watched(pools, (await succeeded(answer)).body);
    });
  }

  async *#watched(pools: Pools, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
    } catch (error) {
      this.#distrustAfter(error, pools);
      throw error;
    }
  }

  /** Cuts everything that is under way. */
  async close(): Promise<void> {
    this.#pools = undefined;
    await Promise.all([...this.#open].map((pool) => pool.destroy()));
  }

  /** Once more with new credentials where the API server does not accept the ones we have. */
  async #authenticated<R>(signal: AbortSignal | undefined, work: Work<R>): Promise<R> {
    try {
      const pools = await this.#currentPools();
      return await this.#answered(pools, signal, work).catch(async (error) => {
        if (!isKubeError(error, 'Unauthorized')) {
          throw error;
        }
        this.#credentials.renew();
        return this.#answered(await this.#currentPools(), signal, work);
      });
    } catch (error) {
      throw errorOfFailure(error, signal);
    }
  }

  async #answered<R>(pools: Pools, signal: AbortSignal | undefined, work: Work<R>): Promise<R> {
    try {
      return await work(pools);
    } catch (error) {
      this.#distrustAfter(error, pools);
      throw errorOfFailure(error, signal);
    }
  }

  /** Whatever swallowed one answer may have swallowed every idle connection, and each would cost another time-out. */
  #distrustAfter(error: unknown, pools: Pools): void {
    if (isSilence(error) && this.#pools?.requests === pools.requests) {
      this.#retire();
    }
  }

  /** A new certificate needs new connections. */
  async #currentPools(): Promise<Pools> {
    const identity = await this.#credentials.current();
    const old = this.#pools;
    if (old !== undefined && (old.identity.cert !== identity.cert || old.identity.key !== identity.key)) {
      this.#retire();
    }
    this.#pools = { ...(this.#pools ?? this.#openPools(identity)), identity };
    return this.#pools;
  }

  /** All that is under way goes on, and nothing else begins on these connections. */
  #retire(): void {
    for (const pool of [this.#pools?.requests, this.#pools?.watches]) {
      void pool?.close().finally(() => this.#open.delete(pool));
    }
    this.#pools = undefined;
  }

  #openPools(identity: Identity): Pools {
    const { access, maxRequests = 16, maxResponseBytes = 64 * 1024 * 1024 } = this.#options;
    const { cert, key } = identity;
    const tls = { ...access.tls(), ...(cert && { cert }), ...(key && { key }) };
    const common = {
      // Measured: no faster, and all watches would share one connection's window with the requests.
      allowH2: false,
      keepAliveTimeout: IDLE_CONNECTION_MS,
      headersTimeout: FIRST_BYTE_TIMEOUT_MS,
      connect: { ...tls, timeout: CONNECT_TIMEOUT_MS, keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_MS },
    };
    const { origin } = new URL(access.server);
    const requests = new Pool(origin, { ...common, connections: maxRequests, maxResponseSize: maxResponseBytes });
    const watches = new Pool(origin, { ...common, connections: MAX_WATCHES, bodyTimeout: 0 });
    this.#open.add(requests).add(watches);
    return { identity, requests, watches };
  }

  #send(pool: Pool, identity: Identity, { method, path, body, contentType, signal }: ApiRequest): Promise<Answer> {
    const { userAgent, access } = this.#options;
    const { pathname } = new URL(access.server);
    return requestOn(pool, {
      method,
      path: `${pathname.replace(/\/$/, '')}${path}`,
      headers: {
        ...identity.headers,
        Accept: 'application/json',
        'User-Agent': userAgent,
        ...(body && { 'Content-Type': contentType ?? 'application/json' }),
      },
      body: body ? JSON.stringify(body) : null,
      signal: signal ?? null,
    });
  }
}

async function succeeded(answer: Answer): Promise<Answer> {
  if (answer.statusCode < 400) {
    return answer;
  }
  const { 'retry-after': retryAfter } = answer.headers;
  const text = await answer.body.text();
  throw errorOfAnswer(answer.statusCode, typeof retryAfter === 'string' ? retryAfter : undefined, text);
}

async function jsonOf(answer: Answer): Promise<unknown> {
  const text = await answer.body.text();
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new KubeError('Internal', `the answer of the API server is not JSON: ${text.slice(0, 200)}`, { cause });
  }
}
