// What of the granted spec the running guest does not have, and cannot get without a restart.
import { canonicalJson, isFields } from '#crds/canonical-json.ts';
import { parseQuantity } from '#crds/quantity.ts';
import { limits } from '#crds/v1alpha1/limits.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { VirtualMachineSpec } from '#crds/v1alpha1/virtual-machine-spec.ts';
import type { Granted, PendingChange } from '#crds/v1alpha1/virtual-machine-status.ts';
import type { DomainMetadata } from '../hypervisor/driver.ts';

const ABSENT = '(not set)';

/** The parts of a spec that a guest is built from. Everything else takes effect while it runs. */
type Built = Pick<VirtualMachineSpec, 'resources' | 'boot' | 'disks' | 'interfaces'>;

/** Empty where the guest was built from what is granted now, or where nobody can tell what it was built from. */
export function pendingChanges(
  metadata: DomainMetadata | undefined,
  vm: VirtualMachine,
  granted: Granted,
): PendingChange[] {
  const current = metadata === undefined ? undefined : builtFrom(metadata.payload);
  if (current === undefined) return [];
  // Of one generation more may be granted later, but nothing else.
  const isOfOne = metadata?.generation === granted.generation && metadata.uid === vm.metadata.uid;
  const asked = isOfOne ? current : vm.spec;
  const changes = differences(current, { ...asked, resources: granted.resources });
  return changes.length === 0 ? [] : [...changes, ...hardware(metadata?.asFound)];
}

/** What was adopted is built by somebody else, and keeps that until it has to be defined anew. */
function hardware(asFound: string | undefined): PendingChange[] {
  if (asFound === undefined) return [];
  const desired = 'as Usher builds guests: machine q35, disks and network cards of virtio, a serial console';
  return [{ field: 'hardware', current: asFound.slice(0, limits.shownValue), desired }];
}

/** The spec in what the operator signed; undefined where that cannot be read. */
export function builtFrom(signed: string): Built | undefined {
  try {
    const payload: unknown = JSON.parse(signed);
    const spec = isFields(payload) ? payload.spec : undefined;
    return isBuilt(spec) ? spec : undefined;
  } catch {
    return undefined;
  }
}

/** Whoever can write to the hypervisor can write anything there. */
function isBuilt(spec: unknown): spec is Built {
  return isFields(spec) && isFields(spec.resources) && isFields(spec.boot);
}

function differences(current: Built, desired: Built): PendingChange[] {
  return [
    ...changed('spec.resources.cpus', current.resources.cpus, desired.resources.cpus),
    ...(sameAmount(current.resources.memory, desired.resources.memory)
      ? []
      : changed('spec.resources.memory', current.resources.memory, desired.resources.memory)),
    ...changed('spec.boot', current.boot, desired.boot),
    ...changed('spec.disks', current.disks ?? [], desired.disks ?? []),
    ...changed('spec.interfaces', current.interfaces ?? [], desired.interfaces ?? []),
  ];
}

function sameAmount(one: string | number, other: string | number): boolean {
  try {
    return parseQuantity(one) === parseQuantity(other);
  } catch {
    return false;
  }
}

function changed(field: string, current: Shown, desired: Shown): PendingChange[] {
  const [from, to] = [shown(current), shown(desired)];
  return from === to
    ? []
    : [{ field, current: from.slice(0, limits.shownValue), desired: to.slice(0, limits.shownValue) }];
}

type Shown = string | number | object | undefined;

function shown(value: Shown): string {
  if (value === undefined) return ABSENT;
  return typeof value === 'object' ? canonicalJson(value) : String(value);
}
