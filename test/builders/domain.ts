// Guests as a hypervisor shows them, and everything that a decision on one looks at.
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { definitionOf } from '#node-daemon/domains/definition.ts';
import { nothingRemembered } from '#node-daemon/domains/memory.ts';
import type { Snapshot } from '#node-daemon/domains/snapshot.ts';
import type { Domain, DomainMetadata } from '#node-daemon/hypervisor/driver.ts';
import { TIME } from './time.ts';
import { uuidFor } from './uuid.ts';

export interface DomainChanges extends Partial<Omit<Domain, 'metadata'>> {
  /** null: none of ours. */
  readonly metadata?: Partial<DomainMetadata> | null;
}

/** The guest of this VM as it was granted and placed, running. */
export function domainOf(vm: VirtualMachine, { metadata = {}, ...changes }: DomainChanges = {}): Domain {
  const { granted, placement } = vm.status ?? {};
  if (granted === undefined || placement === undefined) {
    throw new TypeError('a guest is made of what was granted and placed: begin with placedMachine()');
  }
  const { uuid, name, cpus, memoryBytes, metadata: written } = definitionOf(vm, granted, placement);
  return {
    uuid,
    name,
    powerState: 'Running',
    cpus,
    memoryBytes,
    ...(metadata === null ? {} : { metadata: { ...written, ...metadata } }),
    ...changes,
  };
}

/** The guest of this VM, off for this reason. */
export function domainOff(vm: VirtualMachine, reason: Domain['shutOffReason'], changes: DomainChanges = {}): Domain {
  return domainOf(vm, {
    powerState: 'ShutOff',
    ...(reason === undefined ? {} : { shutOffReason: reason }),
    ...changes,
  });
}

export interface SnapshotChanges extends Partial<Omit<Snapshot, 'cached' | 'live' | 'domain'>> {
  readonly cached?: VirtualMachine | undefined;
  /** A VM: the live read found it. Left out: nobody asked. */
  readonly live?: VirtualMachine | 'Gone' | undefined;
  /** Left out: there is none. */
  readonly domain?: Domain | 'Unknown' | undefined;
}

/** What the daemon of hv1 sees: room, a valid Lease, nothing remembered, and nothing else unless it is said. */
export function domainSnapshot({ cached, live, domain, ...changes }: SnapshotChanges = {}): Snapshot {
  return {
    self: { name: 'hv1', uid: uuidFor('hv1'), bootID: uuidFor('boot of hv1') },
    cached,
    live: liveOf(live),
    domain: seenOf(domain),
    addresses: [],
    limits: { kind: 'NotAsked' },
    room: { fits: true },
    leaseValid: true,
    guarded: false,
    hold: 'None',
    memory: nothingRemembered,
    initiator: 'Unknown',
    now: 1_000_000,
    wallTime: Date.parse(TIME),
    ...changes,
  };
}

function liveOf(live: VirtualMachine | 'Gone' | undefined): Snapshot['live'] {
  if (live === undefined) return { kind: 'NotAsked' };
  return live === 'Gone' ? { kind: 'Gone' } : { kind: 'Found', vm: live };
}

function seenOf(domain: Domain | 'Unknown' | undefined): Snapshot['domain'] {
  if (domain === undefined) return { kind: 'Absent' };
  return domain === 'Unknown'
    ? { kind: 'Unknown', why: 'The hypervisor does not answer.' }
    : { kind: 'Present', domain };
}
