// The closed set of ways in which a store can fail. Callers branch on `reason`, never on status codes or messages.
import { ExpectedError } from '../process/expected-error.ts';

export type KubeErrorReason =
  | 'NotFound'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Gone'
  | 'Invalid'
  | 'Forbidden'
  | 'Unauthorized'
  | 'TooManyRequests'
  | 'Timeout'
  | 'Unreachable'
  | 'Internal';

/**
 * `Conflict` is a resourceVersion (or a server-side-apply owner) that no longer holds; `Gone` a resourceVersion or
 * continue token that the server has forgotten (HTTP 410); `Invalid` an object or patch that will never be accepted as
 * it is; `Unreachable` no answer at all, so the write may or may not have happened.
 */
export class KubeError extends ExpectedError {
  readonly reason: KubeErrorReason;
  /** The server asks to wait this long before the next try. */
  readonly retryAfterSeconds: number | undefined;

  constructor(reason: KubeErrorReason, message: string, options: { retryAfterSeconds?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'KubeError';
    this.reason = reason;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** Whether it is a KubeError, for one of these reasons where any are given. */
export function isKubeError(error: unknown, ...reasons: KubeErrorReason[]): error is KubeError {
  return error instanceof KubeError && (reasons.length === 0 || reasons.includes(error.reason));
}
