// All guests of this node: which are ours, and which belong to nobody. Absence from a list of VirtualMachines proves
// nothing: a domain is called orphaned only once a live GET has found its VirtualMachine gone.
import { type Amount, NO_AMOUNT, plus } from '#crds/amount.ts';
import type { HypervisorStatus } from '#crds/v1alpha1/hypervisor.ts';
import { limits } from '#crds/v1alpha1/limits.ts';
import { type Domain, isUp } from '../hypervisor/driver.ts';

export type UnmanagedGuest = NonNullable<HypervisorStatus['unmanaged']>[number];

export interface KnownVirtualMachines {
  /** uid of every VirtualMachine that the daemon knows of, from whatever source → uuid of its domain. */
  readonly known: ReadonlyMap<string, string>;
  /** uuids of domains of ours that a live GET has found to belong to no VirtualMachine here. */
  readonly orphans: { has(uuid: string): boolean };
}

export interface Inventory {
  /** Ours, with a VirtualMachine. */
  readonly managed: readonly Domain[];
  /** Ours by their metadata; whether there is a VirtualMachine must be asked before anything is said of them. */
  readonly unconfirmed: readonly Domain[];
  /** Ours, and no VirtualMachine here declares them. */
  readonly orphaned: readonly Domain[];
  readonly foreign: readonly Domain[];
  /** Orphaned ones first, then by name; at most as many as the API takes. */
  readonly unmanaged: readonly UnmanagedGuest[];
  readonly unmanagedCount: number;
  /** What those of them hold that have a process: it cannot be given to VMs. */
  readonly unmanagedHeld: Amount;
}

type Belonging = 'Managed' | 'Unconfirmed' | UnmanagedGuest['reason'];

/** Sorts the domains of this node by whom they belong to. Each is in exactly one of the three, `unmanaged` apart. */
export function takeInventory(domains: readonly Domain[], virtualMachines: KnownVirtualMachines): Inventory {
  const declared = new Set(virtualMachines.known.values());
  const by = Object.groupBy(domains, (domain) => belongingOf(domain, declared, virtualMachines));
  const unmanaged = [...reported(by.Orphaned, 'Orphaned'), ...reported(by.Foreign, 'Foreign')];
  return {
    managed: by.Managed ?? [],
    unconfirmed: by.Unconfirmed ?? [],
    orphaned: by.Orphaned ?? [],
    foreign: by.Foreign ?? [],
    unmanaged: unmanaged.slice(0, limits.unmanaged),
    unmanagedCount: unmanaged.length,
    unmanagedHeld: held([...(by.Orphaned ?? []), ...(by.Foreign ?? [])]),
  };
}

/** What those of them hold that have a process. */
export function held(domains: readonly Domain[]): Amount {
  return domains.filter(isUp).reduce<Amount>((sum, guest) => plus(sum, guest), NO_AMOUNT);
}

function belongingOf(
  { uuid, metadata }: Domain,
  declared: ReadonlySet<string>,
  { known, orphans }: KnownVirtualMachines,
): Belonging {
  if (metadata === undefined) return 'Foreign';
  const expected = known.get(metadata.uid) ?? uuid;
  // Tools that copy a domain copy its metadata too; the copy was not made by us.
  if (expected !== uuid) return 'Foreign';
  if (orphans.has(uuid)) return 'Orphaned';
  // By its uuid: one that was written anew has a uid that its guest does not know yet.
  return declared.has(uuid) ? 'Managed' : 'Unconfirmed';
}

function reported(domains: readonly Domain[] | undefined, reason: UnmanagedGuest['reason']): UnmanagedGuest[] {
  return (domains ?? [])
    .map(({ name, uuid, powerState }) => ({ name: shortened(name), uuid, powerState, reason }))
    .sort((a, b) => compare(a.name, b.name) || compare(a.uuid, b.uuid));
}

/** The API counts characters, of which those outside the basic plane take two places in a string. */
function shortened(name: string): string {
  return Array.from(name).slice(0, limits.unmanagedName).join('');
}

/** By code units: the same order on every machine, whatever its locale. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
