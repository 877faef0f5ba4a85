// All reading for what is done about a silent hypervisor.
import { guardPromise } from '#crds/derive/guard-promise.ts';
import { GUARD_ANNOTATION, PROOF_ANNOTATION, RECOVERY_HOLDER } from '#crds/v1alpha1/names.ts';
import { type Proof, proofKinds } from '#crds/v1alpha1/virtual-machine-status.ts';
import { toldSilentSince } from '#operator/hypervisor/plan.ts';
import type { Lease } from '#runtime/lease/lease.ts';
import type { TakeoverContext } from './context.ts';
import type { LeaseView, Snapshot } from './plan.ts';
import { isGuarded, wantsTakeover } from './wants-takeover.ts';

export function observe(context: TakeoverContext, hypervisor: string): Snapshot {
  const { hypervisors, machines, heartbeats, takeovers, fencer, mostSilentPercent, clock } = context;
  const now = clock.monotonic();
  const known = hypervisors.list();
  const toldSilent = toldSilentSince(hypervisors.get(hypervisor)?.status) !== undefined;
  return {
    hypervisor,
    silentForMs: heartbeats.silentFor(hypervisor, now),
    silentInMs: toldSilent ? heartbeats.silentIn(hypervisor, now) + 1 : undefined,
    waiting: machines
      .byIndex('hypervisor', hypervisor)
      .filter(wantsTakeover)
      .map((vm) => ({ timeoutMs: vm.spec.recovery.lostTimeoutSeconds * 1000, guarded: isGuarded(vm) })),
    silent: known.filter(({ metadata }) => heartbeats.silentFor(metadata.name, now) !== undefined).length,
    known: known.length,
    mostSilentPercent,
    lease: viewOf(context.lease(hypervisor), hypervisor),
    canFence: fencer !== undefined,
    memory: takeovers.of(hypervisor),
    now,
  };
}

function viewOf(lease: Lease | undefined, hypervisor: string): LeaseView {
  if (lease === undefined) return { kind: 'Missing' };
  const renewal = renewalOf(lease);
  const { annotations = {} } = lease.metadata;
  if (lease.spec?.holderIdentity === RECOVERY_HOLDER)
    return { kind: 'Taken', renewal, proof: proofIn(annotations[PROOF_ANNOTATION], hypervisor) };
  return { kind: 'Theirs', renewal, promise: guardPromise(annotations[GUARD_ANNOTATION]) };
}

/** What changes with every renewal and every holder. */
export function renewalOf({ metadata, spec }: Lease): string {
  return `${metadata.uid} ${spec?.holderIdentity} ${spec?.renewTime}`;
}

export function proofText({ kind, message }: Proof): string {
  return `${kind}: ${message}`;
}

function proofIn(text: string | undefined, hypervisor: string): Proof | undefined {
  const kind = proofKinds.find((one) => text?.startsWith(`${one}: `));
  return kind === undefined || text === undefined
    ? undefined
    : { kind, hypervisor, message: text.slice(kind.length + 2) };
}
