// Time comes in through here, so that tests can hold it still.

export interface Clock {
  /** Wall time in milliseconds since 1970: for what people read. */
  now(): number;
  /** Milliseconds that never go back: for durations. */
  monotonic(): number;
  /** Resolves after `milliseconds`, or rejects with the signal's reason. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** Uniform in [0, 1). */
export type Random = () => number;

/** RFC 3339 with seconds, as metav1.Time is written. */
export function timestampOf(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
