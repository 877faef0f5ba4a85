// What is granted of what is asked. Nobody runs whose time is over. A guest that is to grow while a hypervisor holds it
// grows only as far as there is room: its next start happens there, and must not end in a refusal.
import { type Amount, amountInWords, amountOf, isSameAmount, NO_AMOUNT } from '#crds/amount.ts';
import { epochIsOver } from '#crds/derive/epoch.ts';
import type { Resources } from '#crds/v1alpha1/virtual-machine-spec.ts';
import type { Granted } from '#crds/v1alpha1/virtual-machine-status.ts';
import { free } from '#operator/placement/candidate.ts';
import { amountHeld } from '#operator/placement/ledger.ts';
import type { Action, Plan } from './actions.ts';
import { expiredInWords, isExpired } from './plan-expiry.ts';
import type { Snapshot } from './snapshot.ts';
import { isTold, NO_ROOM_RETRY_MS } from './waiting-for-room.ts';

/** Pure. No policy objects yet: everything is allowed that there is room, and time, for. */
export function planGrant(snapshot: Snapshot): Plan {
  const { vm } = snapshot;
  const granted = vm.status?.granted;
  const obstacle = granted === undefined ? undefined : obstacleToGrowth(snapshot, granted);
  if (granted === undefined || obstacle === undefined) return { actions: grantOf(snapshot, vm.spec.resources) };
  const grant = grantOf(snapshot, granted.resources, obstacle);
  const pending = { kind: 'CannotGrow', code: 'NoRoomToGrow', reason: obstacle } as const;
  const told = isTold(snapshot, { type: 'ResizePending', status: 'True' }, pending);
  return { actions: [...grant, ...(told ? [] : [pending])], again: NO_ROOM_RETRY_MS, waitsForRoom: true };
}

/** Nothing where that was granted already for this generation. */
function grantOf(snapshot: Snapshot, resources: Resources, withheld?: string): Action[] {
  const { vm } = snapshot;
  const generation = vm.metadata.generation ?? 0;
  const before = vm.status?.granted;
  const { powerState, expired } = powerStateFor(snapshot);
  const again = before?.generation === generation;
  if (again && before.powerState === powerState && isSameAmount(before.resources, resources)) return [];
  const { parameters } = vm.spec;
  const granted: Granted = {
    generation,
    powerState,
    resources,
    ...(parameters === undefined ? {} : { parameters }),
    decisionID: `${vm.metadata.uid}.${generation}${again ? suffixOf(before, powerState) : ''}`,
  };
  const less = [expired, withheld].filter((why) => why !== undefined);
  if (less.length > 0) return [{ kind: 'Grant', granted, verdict: 'Modify', reason: less.join(' ') }];
  return [{ kind: 'Grant', granted, verdict: 'Allow', reason: 'No policy objects: everything is allowed.' }];
}

/** A VM whose time is over may not run, whatever is declared. */
function powerStateFor(snapshot: Snapshot): { powerState: Granted['powerState']; expired?: string } {
  const { powerState } = snapshot.vm.spec;
  if (powerState === 'Stopped' || !isExpired(snapshot)) return { powerState };
  return { powerState: 'Stopped', expired: expiredInWords(snapshot.vm) };
}

/** Of one generation there may be several decisions, as time goes by and room comes. */
function suffixOf(before: Granted, powerState: Granted['powerState']): string {
  if (before.powerState === powerState) return '.grown';
  return powerState === 'Stopped' ? '.expired' : '.renewed';
}

/** Why the hypervisor that holds it cannot give it what the spec asks for; undefined where it can, or where none holds it. */
function obstacleToGrowth({ vm, candidates }: Snapshot, granted: Granted): string | undefined {
  const { placement } = vm.status ?? {};
  if (placement === undefined || epochIsOver(vm.status)) return undefined;
  const [wanted, held] = [amountOf(vm.spec.resources), amountHeld(vm)];
  const name = placement.hypervisor;
  const hypervisor = candidates.find((candidate) => candidate.name === name);
  const room = hypervisor === undefined ? NO_AMOUNT : free(hypervisor);
  if (fits(wanted, held, room)) return undefined;
  const most = `${name} can give it at most ${amountInWords(room, 'down')}`;
  const kept = amountInWords(amountOf(granted.resources), 'up');
  return (
    `${most}, and spec.resources asks for ${amountInWords(wanted, 'up')}. It keeps ${kept} until there is room on ${name}. ` +
    'To have it placed anew now, set spec.powerState to Stopped and, once it is Stopped, back to Running.'
  );
}

/** Only what grows needs room: the rest it has already. */
function fits(wanted: Amount, held: Amount, room: Amount): boolean {
  const has = (resource: keyof Amount) => wanted[resource] <= held[resource] || wanted[resource] <= room[resource];
  return has('cpus') && has('memoryBytes');
}
