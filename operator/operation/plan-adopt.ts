// One target of an operation of type Adopt: a guest that nobody declares, by the name that its VM would have.

import { findCondition } from '#crds/conditions.ts';
import { currentInstance } from '#crds/derive/epoch.ts';
import { OPERATION_ANNOTATION } from '#crds/v1alpha1/names.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { faultOf } from '#operator/adoption/faults.ts';
import type { Action } from './actions.ts';
import type { Snapshot } from './snapshot.ts';
import { denied, type Settle, settle, type Told } from './told.ts';

type Begin = Extract<Action, { kind: 'Begin' }>;

/** Pure. */
export function planAdoption(snapshot: Snapshot, name: string): Begin | Settle {
  const { operation, machines, rights, guests } = snapshot;
  const right = rights.to('create', name);
  if (!right.allowed) return settle(name, denied(snapshot, 'create', right.reason));
  if (machines.get(name)?.metadata.annotations?.[OPERATION_ANNOTATION] === operation.metadata.uid)
    return { kind: 'Begin', name, effect: { kind: 'Await' }, reason: 'Its VirtualMachine was made already.' };
  const [guest, ...others] = guests.get(name) ?? [];
  if (guest === undefined) return settle(name, noSuchGuest(name));
  const { nodeName } = guest.report.spec;
  if (others.length > 0) return settle(name, ambiguous([guest, ...others].map(({ report }) => report.spec.nodeName)));
  const forbidden = rights.adoptDenied(nodeName);
  if (forbidden !== undefined) return settle(name, { outcome: 'Denied', reason: 'Forbidden', message: forbidden });
  const fault = faultOf(guest);
  if (fault !== undefined) return settle(name, { outcome: 'Failed', reason: fault.reason, message: fault.message });
  const effect = { kind: 'Adopt', report: guest.report } as const;
  return { kind: 'Begin', name, effect, reason: `The guest is adopted from ${nodeName}.` };
}

function noSuchGuest(name: string): Told {
  const message = `No hypervisor that is meant reports a guest of that name which nobody declares: kubectl get udr lists them. Of one whose spec.adoption.mode is Off none is reported.`;
  return { outcome: 'Failed', reason: 'NotFound', message: `${name}: ${message}` };
}

function ambiguous(hypervisors: readonly string[]): Told {
  const message = `${hypervisors.join(' and ')} have a guest of that name: say in hypervisorHints which is meant.`;
  return { outcome: 'Failed', reason: 'Ambiguous', message };
}

/** Undefined while it is under way. */
export function planAdopted({ status }: VirtualMachine): Told | undefined {
  const state = currentInstance(status)?.powerState;
  if (state === undefined || state === 'Starting') return undefined;
  const { hypervisor = '' } = status?.placement ?? {};
  if (state !== 'Missing')
    return { outcome: 'Succeeded', reason: 'Done', message: `It was adopted from ${hypervisor}.` };
  const why = findCondition(status?.conditions, 'Ready')?.message ?? '';
  return { outcome: 'Failed', reason: 'Missing', message: `The guest ended before it was adopted. ${why}`.trim() };
}
