// What the operator says of a hypervisor: whether it may take part, and whether it is heard. Pure.
import { findCondition, isConditionFalse, type Statement } from '#crds/conditions.ts';
import type { Hypervisor, HypervisorStatus } from '#crds/v1alpha1/hypervisor.ts';
import type { Hold } from '#operator/site/hold.ts';
import type { AcceptanceRule } from './acceptance.ts';
import { drainingOf, type GuestHere } from './draining.ts';
import { acceptanceOf } from './plan-acceptance.ts';

export interface Snapshot {
  readonly hypervisor: Hypervisor;
  /** RFC 3339: since when its Lease has not changed; undefined while it is heard. */
  readonly silentSince: string | undefined;
  /** Who may join without a person's word. */
  readonly acceptance: AcceptanceRule;
  /** Those that hold a permission there. */
  readonly guests?: readonly GuestHere[];
  /** The hold of the site. */
  readonly hold: Pick<Hold, 'id' | 'phase'> | undefined;
}

/** The reason of its conditions while its daemon is not heard. */
const SILENT = 'Silent';

/**
 * RFC 3339: since when it has been told silent. It stays so, over restarts of the operator and outages too, until its
 * daemon has said something itself: a heartbeat alone says nothing of its guests.
 */
export function toldSilentSince(status: HypervisorStatus | undefined): string | undefined {
  const ready = findCondition(status?.conditions, 'Ready');
  return ready?.reason === SILENT ? ready.lastTransitionTime : undefined;
}

export interface Plan {
  /** Conditions to set; none when all is said already. */
  readonly conditions: readonly Statement[];
  /** What it is told of the hold; undefined: nothing. */
  readonly hold: HypervisorStatus['hold'];
}

export function planHypervisor({ hypervisor, silentSince, acceptance, hold, guests = [] }: Snapshot): Plan {
  const accepted = acceptanceOf(hypervisor, acceptance);
  const closed = onHold(hold) ?? schedulable(hypervisor, silentSince, accepted);
  const wanted = [accepted, closed, ...readiness(silentSince), ...drainingOf(hypervisor, guests)];
  return { conditions: wanted.filter((told) => !alreadySaid(hypervisor, told)), hold: holdFor(hypervisor, hold) };
}

/** Whether anything is to be written. */
export function isNews({ conditions, hold }: Plan, { status }: Hypervisor): boolean {
  return conditions.length > 0 || hold?.id !== status?.hold?.id || hold?.state !== status?.hold?.state;
}

/** That it is over concerns those alone that would not believe this control plane before. */
function holdFor({ status }: Hypervisor, hold: Snapshot['hold']): HypervisorStatus['hold'] {
  if (hold === undefined) return undefined;
  if (hold.phase !== 'Over') return { id: hold.id, state: 'Held' };
  return status?.controlPlane?.doubt === undefined ? undefined : { id: hold.id, state: 'Over' };
}

/** Of an earlier spec is not said: `kubectl wait` waits for a condition of the newest one. */
function alreadySaid({ metadata, status: said }: Hypervisor, { type, status, reason, message }: Statement): boolean {
  const known = findCondition(said?.conditions, type);
  if (type === 'Draining' && known?.message !== message) return false;
  return known?.status === status && known.reason === reason && known.observedGeneration === (metadata.generation ?? 0);
}

const ON_HOLD =
  'The site is on hold: no new VM is placed. What that waits for: kubectl get configmap usher-site ' +
  '--namespace usher-system --output yaml';

function onHold(hold: Snapshot['hold']): Statement | undefined {
  if (hold === undefined || hold.phase === 'Over') return undefined;
  return { type: 'Schedulable', status: 'False', reason: 'SiteOnHold', message: ON_HOLD };
}

function schedulable(hypervisor: Hypervisor, silentSince: string | undefined, accepted: Statement): Statement {
  const type = 'Schedulable';
  if (accepted.status !== 'True') {
    return { type, status: 'False', reason: 'NotAccepted', message: 'It is not accepted: no new VM is placed here.' };
  }
  if (hypervisor.spec.maintenance === true) {
    const message = 'spec.maintenance is set: no new VM is placed here.';
    return { type, status: 'False', reason: 'Maintenance', message };
  }
  if (hypervisor.spec.unschedulable === true) {
    return {
      type,
      status: 'False',
      reason: 'Cordoned',
      message: 'spec.unschedulable is set: no new VM is placed here.',
    };
  }
  if (silentSince !== undefined) {
    return { type, status: 'False', reason: SILENT, message: 'Its daemon does not report: no new VM is placed here.' };
  }
  if (isConditionFalse(hypervisor.status?.conditions, 'DriverConnected')) {
    const message = 'The hypervisor does not answer its daemon: no new VM is placed here before it does.';
    return { type, status: 'False', reason: 'DriverDisconnected', message };
  }
  return { type, status: 'True', reason: 'Open', message: 'New VMs may be placed here.' };
}

/** The daemon says of itself that it is ready; only its silence has to be told by somebody else. */
function readiness(silentSince: string | undefined): Statement[] {
  if (silentSince === undefined) return [];
  const message = `Its daemon has been silent since ${silentSince}. Guests may be running; nothing is done to them.`;
  return [{ type: 'Ready', status: 'Unknown', reason: SILENT, message }];
}
