// A VM whose hypervisor fell silent and that is to be started elsewhere: whether it may be, and what is said meanwhile.
import { activeMigration } from '#crds/derive/migration.ts';
import { type TakeoverVerdict, takeoverOf, wantsTakeover } from '#operator/takeover/wants-takeover.ts';
import type { Snapshot } from './snapshot.ts';

/** Undefined where its hypervisor is heard, or nobody asked for it to be started elsewhere. Pure. */
export function takeoverIn({ vm, home, now }: Snapshot): TakeoverVerdict | undefined {
  if (home.kind !== 'Known' || home.reachable.yes || home.reachable.code !== 'Silent') return undefined;
  if (home.silence === undefined || !wantsTakeover(vm)) return undefined;
  const moving = activeMigration(vm.status);
  // That it is dead where it was says nothing of where it went.
  if (moving?.source !== undefined)
    return {
      kind: 'Waiting',
      why: `${moving.plan.target}, to which it was moving, is to say that it does not run there.`,
    };
  return takeoverOf(vm, home.silence, now);
}

/** What follows on why its hypervisor cannot be asked; `nowhere` is why none can take it. */
export function fateInWords(recovery: TakeoverVerdict | undefined, nowhere: string | undefined): string {
  if (recovery === undefined) return 'The guest may be running; nothing is done to it.';
  if (recovery.kind === 'Waiting')
    return `The guest may be running. It is started elsewhere once it is proven to be dead: ${recovery.why}`;
  return nowhere === undefined ? recovery.proof.message : `${recovery.proof.message} ${nowhere}`;
}
