// What is granted of what is asked. Nobody runs whose time is over. A guest that is to grow while a hypervisor holds it
// grows only as far as there is room: its next start happens there, and must not end in a refusal.
import { type Amount, amountOf, NO_AMOUNT, wantsIn } from '#crds/amount.ts';
import { epochIsOver } from '#crds/derive/epoch.ts';
import { isSurelyHibernated } from '#crds/derive/hibernated.ts';
import type { Granted } from '#crds/v1alpha1/virtual-machine-status.ts';
import { free } from '#operator/placement/candidate.ts';
import { amountHeld } from '#operator/placement/ledger.ts';
import type { Plan } from './actions.ts';
import { grantOf } from './grant.ts';
import { tooLittleInWords, withheldGrowth } from './growth.ts';
import { planRestore, shallBeRestored } from './plan-restore.ts';
import type { Snapshot } from './snapshot.ts';

/** Pure. No policy objects yet: everything is allowed that there is room, and time, for. */
export function planGrant(snapshot: Snapshot): Plan {
  const { vm } = snapshot;
  const granted = vm.status?.granted;
  if (granted !== undefined && shallBeRestored(snapshot)) return planRestore(snapshot, granted);
  const obstacle = granted === undefined ? undefined : obstacleToGrowth(snapshot, granted);
  if (granted === undefined || obstacle === undefined) return { actions: grantOf(snapshot, vm.spec.resources) };
  return withheldGrowth(snapshot, granted.resources, obstacle);
}

/** Why the hypervisor that holds it cannot give it what the spec asks for; undefined where it can, or where none holds it. */
function obstacleToGrowth({ vm, candidates }: Snapshot, granted: Granted): string | undefined {
  const { placement } = vm.status ?? {};
  // One that is hibernated holds nothing, and gets what there is room for when it is restored.
  if (placement === undefined || epochIsOver(vm.status) || isSurelyHibernated(vm.status)) return undefined;
  const [wanted, held] = [amountOf(vm.spec.resources), amountHeld(vm)];
  const name = placement.hypervisor;
  const hypervisor = candidates.find((candidate) => candidate.name === name);
  const room = hypervisor === undefined ? NO_AMOUNT : free(hypervisor);
  if (fits(wanted, held, room)) return undefined;
  return tooLittleInWords(name, { room, wanted, kept: amountOf(granted.resources) });
}

/** Only what grows needs room: the rest it has already. */
function fits(wanted: Amount, held: Amount, room: Amount): boolean {
  const grows = wantsIn(wanted, held);
  return wantsIn(wanted, room).every((want) => !grows.includes(want));
}
