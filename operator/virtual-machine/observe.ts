// All reading for a decision on one VM; the result is not changed any more.
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { MachineContext } from './context.ts';
import type { Home, Snapshot } from './snapshot.ts';

export function observe(context: MachineContext, vm: VirtualMachine): Snapshot {
  const candidates = context.candidates();
  return { vm, candidates, home: homeOf(vm, candidates), now: context.clock.now() };
}

function homeOf(vm: VirtualMachine, candidates: Snapshot['candidates']): Home {
  const { placement } = vm.status ?? {};
  if (placement === undefined) return { kind: 'None' };
  const home = candidates.find(({ name }) => name === placement.hypervisor);
  if (home === undefined) return { kind: 'Gone', hypervisor: placement.hypervisor };
  return { kind: 'Known', hypervisor: home.name, uid: home.uid, reachable: home.reachable };
}
