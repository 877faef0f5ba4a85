// All reading for a decision on one VM; the result is not changed any more.
import { minus } from '#crds/amount.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Candidate } from '#operator/placement/candidate.ts';
import type { Assignment } from '#operator/placement/ledger.ts';
import type { MachineContext } from './context.ts';
import type { Home, Snapshot } from './snapshot.ts';

/** The VM among all hypervisors as they are at this moment. */
export function observe(
  context: Pick<MachineContext, 'candidates' | 'ledger' | 'refusals' | 'clock'>,
  vm: VirtualMachine,
): Snapshot {
  const { uid } = vm.metadata;
  const { ledger, refusals, clock } = context;
  const own = ledger.assignmentOf(uid);
  const candidates = context.candidates().map((candidate) => withoutOwn(candidate, own));
  const now = clock.monotonic();
  refusals.record(vm, now);
  return { vm, candidates, home: homeOf(vm, candidates), refusedBy: refusals.of(uid, now) };
}

/** Room that was taken for a write whose answer was lost is still this VM's to take. */
function withoutOwn(candidate: Candidate, own: Assignment | undefined): Candidate {
  if (own?.hypervisor !== candidate.name) return candidate;
  return { ...candidate, assigned: minus(candidate.assigned, own.amount) };
}

function homeOf(vm: VirtualMachine, candidates: Snapshot['candidates']): Home {
  const { placement } = vm.status ?? {};
  if (placement === undefined) return { kind: 'None' };
  const home = candidates.find(({ name }) => name === placement.hypervisor);
  if (home === undefined) return { kind: 'Gone', hypervisor: placement.hypervisor };
  return { kind: 'Known', hypervisor: home.name, reachable: home.reachable };
}
