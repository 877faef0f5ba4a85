// The closed set of ways in which a hypervisor can fail.

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

/**
 * `Unreachable` and `Timeout` say nothing about the domain: the call may have worked. `Invalid` will never work as it
 * is. `NoRoom` and `Busy` may work later. `Failed` is everything the hypervisor refused for reasons of its own, which
 * the message gives.
 */
export class DriverError extends Error {
  readonly reason: DriverErrorReason;

  constructor(reason: DriverErrorReason, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'DriverError';
    this.reason = reason;
  }
}

export function isDriverError(error: unknown, ...reasons: DriverErrorReason[]): error is DriverError {
  return error instanceof DriverError && (reasons.length === 0 || reasons.includes(error.reason));
}
