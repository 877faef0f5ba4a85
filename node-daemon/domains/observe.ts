// All reading for a decision on one guest; the result is not changed any more.
import { amountOf } from '#crds/amount.ts';
import { instanceUuid } from '#crds/derive/signed-payload.ts';
import { isUnlimited, limitsOf } from '#crds/resources.ts';
import { limits } from '#crds/v1alpha1/limits.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Resources } from '#crds/v1alpha1/virtual-machine-spec.ts';
import type { Address } from '#crds/v1alpha1/virtual-machine-status.ts';
import { isKubeError } from '#runtime/kube/errors.ts';
import type { ObjectKey } from '#runtime/kube/resource.ts';
import type { Domain } from '../hypervisor/driver.ts';
import { isDriverError } from '../hypervisor/errors.ts';
import { inspect } from '../reports/inspected.ts';
import { isAdopting } from './adoption.ts';
import type { DomainContext } from './context.ts';
import { derivedMacAddress } from './definition.ts';
import { amountToRestore } from './held.ts';
import { type DomainMemory, rememberKnown, rememberUnknown } from './memory.ts';
import { observeMove } from './observe-move.ts';
import {
  type Live,
  machineIn,
  presentDomain,
  type Room,
  type Seen,
  type SeenLimits,
  type Snapshot,
} from './snapshot.ts';

/** Never rejects with a DriverError: that the hypervisor does not answer is part of what is seen. */
export async function observe(context: DomainContext, uuid: string, live: Live): Promise<Snapshot> {
  const { admission, heartbeat, clock, self, initiators } = context;
  const cached = cachedMachine(context, uuid);
  const vm = machineIn({ live, cached });
  const domain = await seen(context, uuid);
  if (domain.kind === 'Absent') admission.observe(uuid, undefined);
  if (domain.kind === 'Present') admission.observe(uuid, domain.domain);
  const memory = remembered(context, uuid, domain);
  const move = await observeMove(context, { uuid, vm, domain });
  const inspection = await inspectedFor(context, vm, domain);
  const addresses = vm === undefined ? [] : await addressesOf(context, vm, domain);
  return {
    self: self(),
    cached,
    live,
    domain,
    addresses,
    limits: vm === undefined ? NOT_ASKED : await limitsSeen(context, vm, domain),
    ...(inspection === undefined ? {} : { inspection }),
    room: roomFor(context, uuid, { vm, domain }),
    leaseValid: heartbeat.isValid(),
    guarded: context.isGuarded(uuid),
    hold: context.hold(),
    memory,
    ...(move === undefined ? {} : { move }),
    initiator: initiators.get(uuid) ?? 'Unknown',
    now: clock.monotonic(),
    wallTime: clock.now(),
  };
}

/** Only of a guest that is to be adopted. */
async function inspectedFor({ driver, self }: DomainContext, vm: VirtualMachine | undefined, domain: Seen) {
  if (vm === undefined || domain.kind !== 'Present' || !isAdopting(vm, self().name)) return undefined;
  return domain.domain.metadata === undefined ? inspect(driver, domain.domain.uuid) : undefined;
}

/** Placed here; else one that is to come here. */
function cachedMachine({ machines, incoming, ownWrites }: DomainContext, uuid: string): VirtualMachine | undefined {
  const [cached] = [...machines.byIndex('uuid', uuid), ...incoming.byIndex('uuid', uuid)];
  return cached === undefined ? undefined : ownWrites.latest(cached);
}

async function seen({ driver }: DomainContext, uuid: string): Promise<Seen> {
  try {
    return await driver.observe(uuid);
  } catch (error) {
    if (!isDriverError(error)) throw error;
    return { kind: 'Unknown', why: `The hypervisor does not answer: ${error.message}` };
  }
}

function remembered({ memories, clock }: DomainContext, uuid: string, domain: Seen): DomainMemory {
  if (domain.kind === 'Unknown') return memories.get(uuid);
  const unknown = domain.kind === 'Present' && domain.domain.powerState === 'Unknown';
  return memories.update(uuid, (memory) =>
    unknown ? rememberUnknown(memory, clock.monotonic()) : rememberKnown(memory),
  );
}

const NOT_ASKED: SeenLimits = { kind: 'NotAsked' };

/** Only where there are any, or were: for all others the hypervisor is spared the question. */
async function limitsSeen({ driver }: DomainContext, { status }: VirtualMachine, domain: Seen): Promise<SeenLimits> {
  if (domain.kind !== 'Present' || domain.domain.powerState !== 'Running') return NOT_ASKED;
  const { granted, instance } = status ?? {};
  if (![granted?.resources, instance?.resources].some(isLimited)) return NOT_ASKED;
  try {
    return { kind: 'Seen', limits: await driver.limits(domain.domain.uuid) };
  } catch (error) {
    if (!isDriverError(error)) throw error;
    return error.reason === 'Unsupported' ? { kind: 'Unsupported', why: error.message } : { kind: 'Unknown' };
  }
}

function isLimited(resources: Resources | undefined): boolean {
  return resources !== undefined && !isUnlimited(limitsOf(resources));
}

async function addressesOf({ driver }: DomainContext, vm: VirtualMachine, domain: Seen): Promise<Address[]> {
  if (domain.kind !== 'Present') return [];
  // It obtains none while it stands still, and keeps what it had.
  if (standsStill(domain.domain)) return [...(vm.status?.addresses ?? [])];
  if (domain.domain.powerState !== 'Running') return [];
  const cards = new Map(
    (vm.spec.interfaces ?? []).map((card) => [
      card.macAddress ?? derivedMacAddress(instanceUuid(vm), card.name),
      card.name,
    ]),
  );
  if (cards.size === 0) return [];
  try {
    const observed = await driver.addresses(domain.domain.uuid);
    return inOrder(observed.map(({ ip, macAddress, source }) => withInterface({ ip, source }, cards.get(macAddress))));
  } catch (error) {
    if (isDriverError(error)) return [...(vm.status?.addresses ?? [])];
    throw error;
  }
}

function standsStill({ powerState }: Domain): boolean {
  return powerState === 'Paused' || powerState === 'Saving';
}

/** The same list for the same addresses in whatever order they came, IPv4 first: people look at the first one. */
function inOrder(addresses: readonly Address[]): Address[] {
  const rank = ({ ip, interface: name = '' }: Address) => `${ip.includes(':') ? 6 : 4} ${name} ${ip}`;
  return addresses.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1)).slice(0, limits.addresses);
}

function withInterface(address: Address, name: string | undefined): Address {
  return name === undefined ? address : { ...address, interface: name };
}

/** For what was granted; for the guest whose memory is kept, where there is one. */
function roomFor(
  { admission }: DomainContext,
  uuid: string,
  { vm, domain }: { readonly vm: VirtualMachine | undefined; readonly domain: Seen },
): Room {
  const resources = vm?.status?.granted?.resources;
  if (resources === undefined) return { fits: false, reason: 'Nothing was granted.' };
  const image = domain.kind === 'Present' && domain.domain.hasImage === true ? domain.domain : undefined;
  return admission.roomFor(uuid, image === undefined ? amountOf(resources) : amountToRestore(image, resources));
}

/**
 * The object of this guest as it is now, read past every cache. Another object of the same name is not it, nor is the
 * one of a guest that this is a copy of. Rejects with a KubeError where the API server does not answer: then nothing is
 * known, and nothing may be done.
 */
export async function readLive(
  context: DomainContext,
  uuid: string,
  snapshot: Snapshot,
  signal: AbortSignal,
): Promise<Live> {
  const owner = ownerOf(snapshot);
  if (owner === undefined) return { kind: 'Gone' };
  try {
    const vm = await context.store.get(context.machineType, owner.key, signal);
    return vm.metadata.uid === owner.uid && instanceUuid(vm) === uuid ? { kind: 'Found', vm } : { kind: 'Gone' };
  } catch (error) {
    if (isKubeError(error, 'NotFound')) return { kind: 'Gone' };
    throw error;
  }
}

function ownerOf(snapshot: Snapshot): { key: ObjectKey; uid: string } | undefined {
  const { cached } = snapshot;
  if (cached !== undefined) {
    const { namespace, name, uid } = cached.metadata;
    return { key: { namespace, name }, uid };
  }
  const metadata = presentDomain(snapshot)?.metadata;
  if (metadata === undefined) return undefined;
  return { key: { namespace: metadata.namespace, name: metadata.name }, uid: metadata.uid };
}
