// What every long-running program here begins and ends with: options, log, cluster, metrics, signals.
import type { Registry } from 'prom-client';
import { systemClock, systemRandom } from '../clock/system.ts';
import { connectToCluster } from '../kube/api-server/connect.ts';
import type { KubeStore } from '../kube/store.ts';
import type { ReflectorObserver } from '../reflector/reflector.ts';
import { startHttpServer } from './http-server.ts';
import { createLog, LOG_LEVELS, type Logger } from './log.ts';
import { giveMemoryBackAtRest } from './memory-at-rest.ts';
import { meteredStore } from './metered-store.ts';
import { createMetrics, reflectorMetrics, storeMetrics } from './metrics.ts';
import type { OptionTable, OptionValues } from './option-table.ts';
import { OptionsError, parseOptions } from './options.ts';
import type { Patience } from './persevere.ts';
import { Readiness } from './readiness.ts';
import { shutdownSignal } from './shutdown.ts';

export const commonOptions = {
  kubeconfig: {
    type: 'string',
    description:
      'Kubeconfig file. Left out, a pod uses its service account, anything else KUBECONFIG or ~/.kube/config.',
    optional: true,
    env: 'USHER_KUBECONFIG',
  },
  logLevel: { type: 'choice', choices: LOG_LEVELS, description: 'The least that is logged.', default: 'info' },
  metricsAddress: {
    type: 'string',
    description: 'Where /metrics, /healthz and /readyz are served.',
    default: '127.0.0.1',
  },
  metricsPort: {
    type: 'integer',
    description: 'The port for them; 0 takes a free one.',
    default: 0,
    validate: (port: number) => (port >= 0 && port <= 65_535 ? undefined : 'must be from 0 to 65535'),
  },
} as const satisfies OptionTable;

export interface Runtime<T extends OptionTable> {
  readonly options: OptionValues<T>;
  readonly store: KubeStore;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** Says on /readyz whether the program can do its work; it cannot until this was called with undefined. */
  readonly setUnready: (reason: string | undefined) => void;
  /** What else keeps it from its work. */
  readonly readiness: Readiness;
  /** For what the API server must have before the program can begin. */
  readonly patience: Patience;
  /** For whatever follows the API server's changes: counts for /metrics, and tells /readyz while they are not heard. */
  readonly reflectorObserver: (kind: string) => ReflectorObserver;
  readonly stop: AbortSignal;
}

export interface Program<T extends OptionTable> {
  readonly name: string;
  /** What --help begins with. */
  readonly usage: string;
  readonly table: T;
  run(runtime: Runtime<T>): Promise<void>;
}

/** Runs the program to its end and gives its exit status: 0 in good order, 1 for a failure, 2 for wrong options. */
export async function runProgram<T extends typeof commonOptions & OptionTable>(program: Program<T>): Promise<number> {
  try {
    const parsed = parseOptions(program);
    if (parsed.help !== undefined) {
      process.stdout.write(parsed.help);
      return 0;
    }
    return await runWith(program, parsed.values);
  } catch (error) {
    process.stderr.write(`${program.name}: ${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof OptionsError ? 2 : 1;
  }
}

async function runWith<T extends typeof commonOptions & OptionTable>(
  program: Program<T>,
  options: OptionValues<T>,
): Promise<number> {
  // The compiler cannot see through the table that the common options are in it.
  const common: OptionValues<typeof commonOptions> = options;
  const logger = createLog({ level: common.logLevel, clock: systemClock, fields: { component: program.name } });
  const stop = shutdownSignal(logger);
  const metrics = createMetrics();
  const kubeconfig = common.kubeconfig === undefined ? {} : { kubeconfig: common.kubeconfig };
  const cluster = await connectToCluster({ ...kubeconfig, userAgent: program.name }).catch(refuseOptions);
  const readiness = new Readiness();
  const setUnready = (reason: string | undefined) => readiness.tell('started', reason);
  setUnready('it is starting');
  const checks = { healthy: () => ({}), ready: () => readiness.faults() };
  const { metricsAddress: address, metricsPort: port } = common;
  const server = await startHttpServer({ address, port, metrics, ...checks, logger });
  logger.info('started', { server: cluster.server, metricsPort: server.port });
  const ended = new AbortController();
  void giveMemoryBackAtRest(systemClock, ended.signal);
  try {
    const store = meteredStore(cluster.store, systemClock, storeMetrics(metrics));
    const reflectorObserver = both(reflectorMetrics(metrics), (kind) => readiness.observer(kind));
    const tell = (fault: string | undefined) => readiness.tell('API server', fault);
    const patience = { clock: systemClock, random: systemRandom, logger, tell };
    const telling = { setUnready, readiness, patience, reflectorObserver };
    await program.run({ options, store, logger, metrics, ...telling, stop });
    logger.info('stopped');
    return 0;
  } catch (error) {
    if (stop.aborted) return 0;
    if (error instanceof OptionsError) throw error;
    logger.error('cannot go on', { error });
    return 1;
  } finally {
    ended.abort();
    await server.close();
    await cluster.close();
  }
}

/** Where the API server is, is what the program was told, too. */
function refuseOptions(error: unknown): never {
  throw new OptionsError([`${error instanceof Error ? error.message : String(error)}; --kubeconfig names another`]);
}

function both(
  one: (kind: string) => ReflectorObserver,
  other: (kind: string) => ReflectorObserver,
): (kind: string) => ReflectorObserver {
  return (kind) => {
    const observers = [one(kind), other(kind)];
    return {
      listed: (...told) => observers.forEach((observer) => observer.listed?.(...told)),
      eventReceived: (type) => observers.forEach((observer) => observer.eventReceived?.(type)),
      failed: (...told) => observers.forEach((observer) => observer.failed?.(...told)),
      recovered: () => observers.forEach((observer) => observer.recovered?.()),
      watchDied: () => observers.forEach((observer) => observer.watchDied?.()),
    };
  };
}
