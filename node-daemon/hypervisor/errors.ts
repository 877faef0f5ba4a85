// The closed set of ways in which a hypervisor can fail.
import { ExpectedError } from '#runtime/process/expected-error.ts';

/**
 * `Unreachable` and `Timeout` say nothing about the domain: the call may have worked. `Invalid` will never work as it
 * is. `NoRoom` and `Busy` may work later. `Failed` is everything the hypervisor refused for reasons of its own, which
 * the message gives.
 */
export type DriverErrorReason =
  | 'NotFound'
  | 'Busy'
  | 'Conflict'
  | 'Invalid'
  | 'Unsupported'
  | 'NoRoom'
  | 'Unreachable'
  | 'Timeout'
  | 'Failed';

/** A dying QEMU's last words may be megabytes; conditions and Events take so much with room for a sentence around it. */
const MESSAGE_MAX = 1_024;

export class DriverError extends ExpectedError {
  readonly reason: DriverErrorReason;

  constructor(reason: DriverErrorReason, message: string, cause?: unknown) {
    super(bounded(message), { cause });
    this.name = 'DriverError';
    this.reason = reason;
  }
}

/** Whether it is a DriverError, for one of these reasons where any are given. */
export function isDriverError(error: unknown, ...reasons: DriverErrorReason[]): error is DriverError {
  return error instanceof DriverError && (reasons.length === 0 || reasons.includes(error.reason));
}

/** Nobody knows whether the call worked. */
export function isUnanswered(error: unknown): error is DriverError {
  return isDriverError(error, 'Unreachable', 'Timeout');
}

/** Well-formed, or else the API server would store another text than it was sent. */
function bounded(message: string): string {
  return message.length <= MESSAGE_MAX ? message : `${message.slice(0, MESSAGE_MAX - 1).toWellFormed()}…`;
}
