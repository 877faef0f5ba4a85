// What the runtime measures, as observers for its parts. Labels are few and bounded: never an object's name.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ControllerObserver } from '../controller/controller.ts';
import type { ReflectorObserver } from '../reflector/reflector.ts';
import type { StoreObserver } from './metered-store.ts';

/** From one millisecond, a quick answer of the API server, to a minute, a guest that is slow to stop. */
const BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** An empty registry, but for what every process and every Node has: memory, CPU, event loop lag… */
export function createMetrics(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** A counter of this registry; its name ends in _total. */
export function counter<L extends string>(registry: Registry, name: string, help: string, ...labelNames: L[]) {
  return new Counter({ name, help, labelNames, registers: [registry] });
}

/** A gauge of this registry. */
export function gauge<L extends string>(registry: Registry, name: string, help: string, ...labelNames: L[]) {
  return new Gauge({ name, help, labelNames, registers: [registry] });
}

/** A histogram of durations; its name ends in _seconds. */
function durations<L extends string>(registry: Registry, name: string, help: string, ...labelNames: L[]) {
  return new Histogram({ name, help, labelNames, registers: [registry], buckets: BUCKETS });
}

/** Gives an observer per controller. Once per registry. */
export function controllerMetrics(registry: Registry): (controller: string) => ControllerObserver {
  const depth = gauge(registry, 'usher_workqueue_depth', 'Keys that wait for a worker.', 'controller');
  const adds = counter(registry, 'usher_workqueue_adds_total', 'Keys that became ready for work.', 'controller');
  const waits = durations(registry, 'usher_workqueue_wait_seconds', 'How long ready keys waited.', 'controller');
  const retries = counter(registry, 'usher_workqueue_retries_total', 'Keys put back after a failure.', 'controller');
  const help = 'Reconciles by how they ended: done, again, conflict or error.';
  const reconciles = counter(registry, 'usher_reconcile_total', help, 'controller', 'outcome');
  const works = durations(registry, 'usher_reconcile_seconds', 'How long a reconcile took.', 'controller');
  return (controller) => ({
    added: (ready) => {
      depth.set({ controller }, ready);
      adds.inc({ controller });
    },
    taken: (waitedMs, ready) => {
      depth.set({ controller }, ready);
      waits.observe({ controller }, waitedMs / 1000);
    },
    retried: () => retries.inc({ controller }),
    reconciled: (outcome, seconds) => {
      reconciles.inc({ controller, outcome });
      works.observe({ controller }, seconds);
    },
  });
}

/** Gives an observer per kind. Once per registry. */
export function reflectorMetrics(registry: Registry): (kind: string) => ReflectorObserver {
  const prefix = 'usher_reflector';
  const lists = counter(registry, `${prefix}_lists_total`, 'Times that all of a kind was read.', 'kind', 'cause');
  const works = durations(registry, `${prefix}_list_seconds`, 'How long reading all of a kind took.', 'kind');
  const objects = gauge(registry, `${prefix}_listed_objects`, 'Objects in the last complete list.', 'kind');
  const events = counter(registry, `${prefix}_events_total`, 'Events received by watches.', 'kind', 'type');
  const failures = counter(registry, `${prefix}_failures_total`, 'Lists and watches that failed.', 'kind', 'reason');
  const dead = counter(registry, `${prefix}_dead_watches_total`, 'Watches that fell silent and were cut.', 'kind');
  return (kind) => ({
    listed: (cause, count, milliseconds) => {
      lists.inc({ kind, cause });
      objects.set({ kind }, count);
      works.observe({ kind }, milliseconds / 1000);
    },
    eventReceived: (type) => events.inc({ kind, type }),
    failed: (reason) => failures.inc({ kind, reason }),
    watchDied: () => dead.inc({ kind }),
  });
}

/** For `meteredStore`. Once per registry. */
export function storeMetrics(registry: Registry): StoreObserver {
  const help = 'Requests to the API server by how they ended.';
  const requests = counter(registry, 'usher_store_requests_total', help, 'verb', 'kind', 'outcome');
  const waits = durations(registry, 'usher_store_request_seconds', 'How long answers took.', 'verb', 'kind');
  return {
    requested: (verb, kind, outcome, seconds) => {
      requests.inc({ verb, kind, outcome });
      waits.observe({ verb, kind }, seconds);
    },
  };
}

/** For leader election. Once per registry. */
export function leaderMetrics(registry: Registry): { leading(leads: boolean): void } {
  const leader = gauge(registry, 'usher_leader', 'Whether this process believes that it leads: 1 or 0.');
  return { leading: (leads) => leader.set(leads ? 1 : 0) };
}
