// core/v1 Event: what `kubectl describe` shows under an object. The newer events.k8s.io/v1 is the same thing in store and
// on screen, but forbids to change a written event other than by its series; here a count and two times are enough.
import { createHash } from 'node:crypto';
import { timestampOf } from '../clock/clock.ts';
import type { KubeObject, ResourceType } from '../kube/resource.ts';

export interface Event extends KubeObject {
  involvedObject: {
    apiVersion: string;
    kind: string;
    name: string;
    namespace?: string;
    uid?: string;
  };
  type: 'Warning' | 'Normal';
  reason: string;
  message: string;
  source: { component: string };
  reportingComponent: string;
  reportingInstance: string;
  firstTimestamp: string;
  lastTimestamp: string;
  count: number;
}

export const EVENTS: ResourceType<Event> = { apiVersion: 'v1', kind: 'Event', plural: 'events', namespaced: true };

/** Something worth telling about an object, as often as it happened. */
export interface Warning {
  readonly object: KubeObject;
  readonly reason: string;
  readonly message: string;
}

/** Who tells: "usher-operator", and which of them. */
export interface Reporter {
  readonly component: string;
  readonly instance: string;
}

/** Kubernetes refuses events with more. */
const LONGEST_MESSAGE = 1024;
const LONGEST_NAME = 253;

/**
 * The event for `count` such warnings, the last of them at `now` (milliseconds since 1970). Its name follows from what
 * it says, so that another process, or this one after a restart, finds the same event again.
 */
export function eventOf(warning: Warning, reporter: Reporter, { count, now }: { count: number; now: number }): Event {
  const { object, reason, message } = warning;
  const { name, namespace, uid } = object.metadata;
  const hash = warningId(warning, reporter.component);
  return {
    apiVersion: EVENTS.apiVersion,
    kind: EVENTS.kind,
    // The events of cluster-scoped objects belong into the namespace default.
    metadata: { namespace: namespace ?? 'default', name: `${name.slice(0, LONGEST_NAME - hash.length - 1)}.${hash}` },
    involvedObject: {
      apiVersion: object.apiVersion,
      kind: object.kind,
      name,
      ...(namespace !== undefined && { namespace }),
      ...(uid !== undefined && { uid }),
    },
    type: 'Warning',
    reason,
    message: shortened(message),
    source: { component: reporter.component },
    reportingComponent: reporter.component,
    reportingInstance: reporter.instance,
    firstTimestamp: timestampOf(now),
    lastTimestamp: timestampOf(now),
    count,
  };
}

/** The same for warnings that say the same of the same object. */
export function warningId({ object, reason, message }: Warning, component: string): string {
  const { name, namespace, uid } = object.metadata;
  const text = JSON.stringify([component, object.kind, namespace, name, uid, reason, message]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

function shortened(message: string): string {
  return message.length <= LONGEST_MESSAGE ? message : `${message.slice(0, LONGEST_MESSAGE - 1)}…`;
}
