// What an answer of the API server that is no success means in the closed set of store errors.
import { DeadlineExceeded } from '#runtime/clock/deadline.ts';
import { KubeError, type KubeErrorReason } from '../errors.ts';

/** The parts of a metav1.Status that are looked at. */
export interface Status {
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: { readonly retryAfterSeconds?: number };
}

const REASONS: Readonly<Record<number, KubeErrorReason>> = {
  400: 'Invalid',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'Invalid',
  406: 'Invalid',
  408: 'Timeout',
  409: 'Conflict',
  410: 'Gone',
  413: 'Invalid',
  415: 'Invalid',
  422: 'Invalid',
  429: 'TooManyRequests',
  504: 'Timeout',
};

/** All that is not listed is Internal: the fault is the server's, or something's in between. */
export function errorOfStatus(status: Status, retryAfterSeconds = status.details?.retryAfterSeconds): KubeError {
  const { code = 500, reason, message = `the API server answered with code ${code}` } = status;
  const known = reason === 'AlreadyExists' ? 'AlreadyExists' : (REASONS[code] ?? 'Internal');
  return new KubeError(known, message, retryAfterSeconds === undefined ? {} : { retryAfterSeconds });
}

/** Proxies answer with pages of their own: this much of them tells what they are. */
const PAGE_EXCERPT = 200;

/** The error of an HTTP answer with code 400 or above. */
export function errorOfAnswer(code: number, retryAfter: string | undefined, body: string): KubeError {
  const status = statusIn(body) ?? { message: `HTTP ${code}: ${body.slice(0, PAGE_EXCERPT)}` };
  const seconds = Number(retryAfter);
  return errorOfStatus({ ...status, code }, retryAfter !== undefined && seconds >= 0 ? seconds : undefined);
}

function statusIn(body: string): Status | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'Status'
      ? (value as Status)
      : undefined;
  } catch {
    return undefined;
  }
}

const TIMEOUT_CODES = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);

/** Nothing came for too long: the API server is slow, or something between us swallows what is sent. */
export function isSilence(error: unknown): boolean {
  return error instanceof DeadlineExceeded || TIMEOUT_CODES.has(codeOf(error));
}

/** The error of a call that got no answer, or only part of one. */
export function errorOfFailure(cause: unknown, signal: AbortSignal | undefined): KubeError {
  if (cause instanceof KubeError) {
    return cause;
  }
  if (signal?.aborted) {
    return new KubeError('Unreachable', 'the caller gave up waiting for the API server', { cause });
  }
  if (isSilence(cause)) {
    return new KubeError('Timeout', `the API server did not answer in time: ${messageOf(cause)}`, { cause });
  }
  if (codeOf(cause) === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') {
    return new KubeError('Internal', 'the answer of the API server is larger than is allowed here', { cause });
  }
  return new KubeError('Unreachable', `cannot reach the API server: ${messageOf(cause)}`, { cause });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
