// SIGTERM and SIGINT ask a process to end in good order; who asks twice does not want to wait.
import { constants } from 'node:os';
import type { Logger } from './log.ts';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

export type ShutdownProcess = Pick<NodeJS.Process, 'on' | 'exit'>;

/** Aborts at the first of these signals. The second one ends the process at once, with 128 + its number as status. */
export function shutdownSignal(logger: Logger, target: ShutdownProcess = process): AbortSignal {
  const stop = new AbortController();
  for (const name of SIGNALS) {
    target.on(name, () => {
      if (stop.signal.aborted) {
        logger.warn('asked again to stop, leaving at once', { signal: name });
        target.exit(128 + constants.signals[name]);
      }
      logger.info('stopping', { signal: name });
      stop.abort(new Error(`stopped by ${name}`));
    });
  }
  return stop.signal;
}
