// What is said of a hypervisor that is to be emptied: which guests are left, which move, and why others do not. Pure.
import { findCondition, type Statement } from '#crds/conditions.ts';
import { currentInstance, epochIsOver } from '#crds/derive/epoch.ts';
import { activeMigration } from '#crds/derive/migration.ts';
import type { Hypervisor } from '#crds/v1alpha1/hypervisor.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';

/** A guest that holds a permission here. */
export interface GuestHere {
  /** namespace/name */
  readonly name: string;
  readonly movesTo?: string;
  /** Why it does not move. */
  readonly stays?: string;
}

/** Undefined where the VM's permission here is over. `stays` is what was found when it was last looked at. */
export function guestHere(vm: VirtualMachine, stays: string | undefined): GuestHere | undefined {
  const { metadata, status } = vm;
  if (epochIsOver(status)) return undefined;
  const name = `${metadata.namespace}/${metadata.name}`;
  const movesTo = activeMigration(status)?.plan.target;
  if (movesTo !== undefined) return { name, movesTo };
  const unseen = currentInstance(status) === undefined ? 'It has not started yet.' : undefined;
  const why = stays ?? unseen;
  return why === undefined ? { name } : { name, stays: why };
}

const MOST_NAMES = 5;

/** Nothing of a hypervisor that was never to be emptied. */
export function drainingOf({ spec, status }: Hypervisor, guests: readonly GuestHere[]): Statement[] {
  const type = 'Draining';
  const moving = guests.filter(({ movesTo }) => movesTo !== undefined);
  if (spec.maintenance !== true) {
    if (findCondition(status?.conditions, type) === undefined) return [];
    const last = moving.length === 0 ? '' : ` ${inWords('stopping to move', moving)}`;
    return [{ type, status: 'False', reason: 'InService', message: `spec.maintenance is not set.${last}` }];
  }
  if (guests.length === 0) return [{ type, status: 'False', reason: 'Drained', message: 'No guest is left here.' }];
  const staying = guests.filter(({ stays }) => stays !== undefined);
  const next = guests.filter(({ movesTo, stays }) => movesTo === undefined && stays === undefined);
  const parts = [inWords('moving', moving), inWords('next', next), inWords('waiting', staying)];
  const message = `Guests left: ${guests.length}. ${parts.filter((part) => part !== '').join(' ')} Nothing is stopped.`;
  const reason = moving.length + next.length > 0 ? 'Moving' : 'Waiting';
  return [{ type, status: 'True', reason, message: message.slice(0, 2_048) }];
}

function inWords(what: string, guests: readonly GuestHere[]): string {
  if (guests.length === 0) return '';
  const named = guests.toSorted((a, b) => (a.name < b.name ? -1 : 1)).slice(0, MOST_NAMES);
  const names = named.map(({ name, movesTo, stays }) => `${name}${details(movesTo, stays)}`);
  const more = guests.length > MOST_NAMES ? `, and ${guests.length - MOST_NAMES} more` : '';
  return `${what[0]?.toUpperCase()}${what.slice(1)}: ${names.join(', ')}${more}.`;
}

function details(movesTo: string | undefined, stays: string | undefined): string {
  if (movesTo !== undefined) return ` (to ${movesTo})`;
  return stays === undefined ? '' : ` (${stays.slice(0, 300).replace(/\.$/, '')})`;
}
