// All reading for a decision on one VM; the result is not changed any more.
import { minus } from '#crds/amount.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Candidate } from '#operator/placement/candidate.ts';
import type { Assignment } from '#operator/placement/ledger.ts';
import { keyOf, keyText } from '#runtime/kube/resource.ts';
import type { MachineContext } from './context.ts';
import type { Home, Snapshot } from './snapshot.ts';

type Observed = Pick<
  MachineContext,
  | 'candidates'
  | 'candidate'
  | 'silence'
  | 'ledger'
  | 'refusals'
  | 'waiting'
  | 'clock'
  | 'claimFor'
  | 'foreignFor'
  | 'hold'
  | 'migration'
>;

/** The VM among all hypervisors as they are at this moment, in which the decision must be made, too. */
export function observe(context: Observed, vm: VirtualMachine): Snapshot {
  const { uid } = vm.metadata;
  const { ledger, refusals, waiting, clock } = context;
  const own = ledger.assignmentOf(uid);
  const now = clock.monotonic();
  refusals.record(vm, now);
  const toldAt = waiting.get(keyText(keyOf(vm)));
  const toldAgo = toldAt === undefined ? undefined : now - toldAt;
  let candidates: readonly Candidate[] | undefined;
  return {
    vm,
    // Three of four looks at a VM place nothing, and to weigh all hypervisors is most of what a look costs.
    get candidates() {
      candidates ??= context.candidates().map((candidate) => withoutOwn(candidate, own));
      return candidates;
    },
    home: homeOf(vm, context),
    refusedBy: refusals.of(uid, now).filter((name) => !isReplaced(context, vm, name)),
    claim: context.claimFor(vm),
    foreign: context.foreignFor(vm),
    hold: context.hold(),
    toldAgo,
    migrations: {
      settings: context.migration,
      at: (hypervisor) => ledger.migrationsAt(hypervisor),
      inAll: ledger.migrations,
    },
    wallTime: clock.now(),
    now,
  };
}

/** A refusal by one that has been replaced since says nothing of the one that is there now. */
function isReplaced(
  { candidate }: Pick<MachineContext, 'candidate'>,
  { status }: VirtualMachine,
  name: string,
): boolean {
  if (status?.placement?.hypervisor !== name) return false;
  const there = candidate(name);
  return there !== undefined && there.uid !== status.placement.hypervisorUID;
}

/** Room that was taken for a write whose answer was lost is still this VM's to take. */
function withoutOwn(candidate: Candidate, own: Assignment | undefined): Candidate {
  if (own?.hypervisor !== candidate.name) return candidate;
  return { ...candidate, assigned: minus(candidate.assigned, own.amount) };
}

function homeOf(vm: VirtualMachine, { candidate, silence }: Pick<MachineContext, 'candidate' | 'silence'>): Home {
  const { placement } = vm.status ?? {};
  if (placement === undefined) return { kind: 'None' };
  const home = candidate(placement.hypervisor);
  if (home === undefined) return { kind: 'Gone', hypervisor: placement.hypervisor };
  const { name: hypervisor, reachable } = home;
  return { kind: 'Known', hypervisor, reachable, silence: silence(hypervisor), candidate: home };
}
