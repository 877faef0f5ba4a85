// What becomes of a report of a guest that Usher did not make. Pure.

import { ADOPTED_FROM_ANNOTATION } from '#crds/v1alpha1/names.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Word } from '#operator/rebuild/plan.ts';
import { NOT_ACCEPTED } from '#operator/rebuild/plan.ts';
import { type Fault, faultOf, type Guest } from './faults.ts';
import { type Adoption, isMeant } from './names.ts';

export interface ForeignSnapshot extends Guest {
  /** The rules of its hypervisor. */
  readonly adoption: Adoption | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export type ForeignPlan =
  | { readonly kind: 'Nothing'; readonly again: number }
  | { readonly kind: 'Tell'; readonly word: Word; readonly again?: number }
  | { readonly kind: 'Adopt' };

/** Reason of the verdict on a guest whose namespace is not there. */
export const NAMESPACE_MISSING = 'NamespaceMissing';

/** What passes by itself, and what the API server has refused, is looked at again. */
const RETRY_MS = 60_000;

export function planForeign(snapshot: ForeignSnapshot): ForeignPlan {
  const { report, owner, adoption } = snapshot;
  if (owner?.metadata.annotations?.[ADOPTED_FROM_ANNOTATION] === report.spec.nodeName) return beingAdopted(owner);
  const meant = adoption?.mode === 'Adopt' ? isMeant(report.status?.domain?.name ?? '', adoption) : false;
  if (typeof meant === 'string') return refuse({ reason: 'InvalidRule', message: meant });
  return meant ? planMeant(snapshot) : notAskedFor;
}

function planMeant(snapshot: ForeignSnapshot): ForeignPlan {
  if (snapshot.report.status?.domain?.released === true) return released;
  const fault = faultOf(snapshot);
  if (fault !== undefined) return refuse(fault);
  return isRefusedLately(snapshot) ? { kind: 'Nothing', again: RETRY_MS } : { kind: 'Adopt' };
}

const notAskedFor = leave(
  'NotAskedFor',
  'Usher did not make it, and no rule of its hypervisor means it: an operation of type Adopt takes it.',
);

const released = leave(
  'Released',
  'Usher has let go of it, and does not take it back by a rule: an operation of type Adopt does.',
);

function beingAdopted({ metadata }: VirtualMachine): ForeignPlan {
  const vm = `${metadata.namespace}/${metadata.name}`;
  const word = { outcome: 'Waiting', reason: 'BeingAdopted', message: `VirtualMachine ${vm} adopts it.` } as const;
  return { kind: 'Tell', word };
}

function refuse({ reason, message, passes }: Fault): ForeignPlan {
  const word = { outcome: passes === true ? 'Waiting' : 'Refused', reason, message } as const;
  return { kind: 'Tell', word, again: RETRY_MS };
}

function leave(reason: string, message: string): ForeignPlan {
  return { kind: 'Tell', word: { outcome: 'LeftAlone', reason, message } };
}

function isRefusedLately({ report, now }: ForeignSnapshot): boolean {
  const { reason = '', time = '' } = report.status?.verdict ?? {};
  return (reason === NOT_ACCEPTED || reason === NAMESPACE_MISSING) && now - Date.parse(time) < RETRY_MS;
}
