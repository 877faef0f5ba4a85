// A guest that is hibernated and shall be there again: only where its memory is kept, and only where it fits. Until then it
// stays as it is, and costs nothing.
import { type Amount, amountInWords, amountOf, inTermsOf, larger, wantsIn } from '#crds/amount.ts';
import { currentInstance, epochIsOver } from '#crds/derive/epoch.ts';
import { isSurelyHibernated, mayBeThere, RESTORE_PENDING } from '#crds/derive/hibernated.ts';
import { howToBootAnew } from '#crds/derive/verdict-hibernated.ts';
import type { Granted } from '#crds/v1alpha1/virtual-machine-status.ts';
import { free } from '#operator/placement/candidate.ts';
import type { Plan } from './actions.ts';
import { grantOf, powerStateFor } from './grant.ts';
import { tooLittleInWords, withheldGrowth } from './growth.ts';
import type { Snapshot } from './snapshot.ts';
import { isTold, NO_ROOM_RETRY_MS } from './waiting-for-room.ts';

/** Whether that is still to be decided. */
export function shallBeRestored(snapshot: Snapshot): boolean {
  const { status } = snapshot.vm;
  if (epochIsOver(status) || !isSurelyHibernated(status)) return false;
  return mayBeThere(powerStateFor(snapshot).powerState);
}

/** Pure. Of a VM that shall be restored: with what is declared, or else with what it had. */
export function planRestore(snapshot: Snapshot, granted: Granted): Plan {
  const { vm, home, candidates } = snapshot;
  const name = vm.status?.placement?.hypervisor ?? '';
  const hypervisor = candidates.find((candidate) => candidate.name === name);
  if (home.kind !== 'Known' || !home.reachable.yes || hypervisor === undefined)
    return deferred(snapshot, granted, unreachable(name));
  const room = free(hypervisor);
  const image = currentInstance(vm.status)?.resources ?? granted.resources;
  const [wanted, kept] = [amountOf(vm.spec.resources), amountOf(image)];
  if (fits(larger(kept, wanted), room)) return { actions: grantOf(snapshot, vm.spec.resources) };
  if (fits(kept, room)) return withheldGrowth(snapshot, image, tooLittleInWords(name, { room, wanted, kept }));
  return deferred(snapshot, granted, noRoom(name, room, kept));
}

interface Obstacle {
  readonly code: string;
  readonly reason: string;
}

function deferred(snapshot: Snapshot, granted: Granted, { code, reason }: Obstacle): Plan {
  const grant = grantOf(snapshot, granted.resources, { deferred: reason });
  const told = isTold(snapshot, { type: RESTORE_PENDING, status: 'True' }, { code, reason });
  const pending = { kind: 'CannotRestore', code, reason } as const;
  return { actions: [...grant, ...(told ? [] : [pending])], again: NO_ROOM_RETRY_MS, waitsForRoom: true };
}

function unreachable(name: string): Obstacle {
  const what = `${name}, which keeps its memory, cannot be asked`;
  const reason = `${what}. It is restored when ${name} is heard again. ${howToBootAnew()}`;
  return { code: 'HypervisorUnreachable', reason };
}

function noRoom(name: string, room: Amount, kept: Amount): Obstacle {
  const most = `${name}, which keeps its memory, can give it at most ${amountInWords(inTermsOf(kept, room), 'down')}`;
  const needed = amountInWords(kept, 'up');
  const reason = `${most}, and it had ${needed}. It is restored when there is room on ${name}. ${howToBootAnew()}`;
  return { code: 'NoRoomToRestore', reason };
}

function fits(wanted: Amount, room: Amount): boolean {
  return wantsIn(wanted, room).length === 0;
}
