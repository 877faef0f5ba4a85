// A guest that is to have more than there is room for: it goes on with less, and that is told.
import { type Amount, amountInWords, inTermsOf } from '#crds/amount.ts';
import type { Resources } from '#crds/v1alpha1/virtual-machine-spec.ts';
import type { Plan } from './actions.ts';
import { grantOf } from './grant.ts';
import type { Snapshot } from './snapshot.ts';
import { isTold, NO_ROOM_RETRY_MS } from './waiting-for-room.ts';

/** So much is granted, for this reason no more, and what is missing is looked for again. Pure. */
export function withheldGrowth(snapshot: Snapshot, resources: Resources, reason: string): Plan {
  const grant = grantOf(snapshot, resources, { withheld: reason });
  const pending = { kind: 'CannotGrow', code: 'NoRoomToGrow', reason } as const;
  const told = isTold(snapshot, { type: 'ResizePending', status: 'True' }, pending);
  return { actions: [...grant, ...(told ? [] : [pending])], again: NO_ROOM_RETRY_MS, waitsForRoom: true };
}

/** What its hypervisor could give it, what it asks for, and what it has meanwhile. */
export function tooLittleInWords(
  hypervisor: string,
  { room, wanted, kept }: { readonly room: Amount; readonly wanted: Amount; readonly kept: Amount },
): string {
  const most = `${hypervisor} can give it at most ${amountInWords(inTermsOf(wanted, room), 'down')}`;
  const asked = `spec.resources asks for ${amountInWords(wanted, 'up')}`;
  return (
    `${most}, and ${asked}. It keeps ${amountInWords(kept, 'up')} until there is room on ${hypervisor}. ` +
    'To have it placed anew now, set spec.powerState to Stopped and, once it is Stopped, back to Running.'
  );
}
