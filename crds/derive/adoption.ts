// What the VirtualMachine of a foreign guest says, and whether it says what the guest is. Both sides compare: the operator
// before it gives the guest to the VM, and the daemon before it notes that with the guest.
import { canonicalJson } from '#crds/canonical-json.ts';
import { parseQuantity } from '#crds/quantity.ts';
import type { DomainReportStatus, Found } from '#crds/v1alpha1/domain-report.ts';
import type { Resources, VirtualMachineSpec } from '#crds/v1alpha1/virtual-machine-spec.ts';

export type FoundDomain = Pick<NonNullable<DomainReportStatus['domain']>, 'cpus' | 'memory'>;
export type FoundSpec = Pick<VirtualMachineSpec, 'resources' | 'boot' | 'disks' | 'interfaces'>;

/** The permission with which a guest is adopted; any later one starts it. */
export const ADOPTION_EPOCH = 1;

export function specFound({ cpus, memory }: FoundDomain, { boot, disks, interfaces }: Found): FoundSpec {
  return {
    resources: { cpus, memory },
    boot: bootFound(boot),
    ...(disks.length === 0 ? {} : { disks: disks.map((disk) => ({ ...disk })) }),
    ...(interfaces.length === 0 ? {} : { interfaces: interfaces.map((card) => ({ ...card })) }),
  };
}

function bootFound({ disk, interface: card, image, initrd, commandLine }: Found['boot']): VirtualMachineSpec['boot'] {
  if (disk !== undefined) return { disk: { name: disk } };
  if (card !== undefined) return { network: { interface: card } };
  const more = { ...(initrd === undefined ? {} : { initrd }), ...(commandLine === undefined ? {} : { commandLine }) };
  return { kernel: { image: image ?? '', ...more } };
}

/** Which parts of a spec say something else than what was found. */
export function differencesFrom(found: FoundSpec, spec: FoundSpec, granted: Resources): string[] {
  const parts = ['boot', 'disks', 'interfaces'] as const;
  const others = parts.filter((part) => said(found[part]) !== said(spec[part]));
  return isSameSize(found.resources, granted) ? others : ['resources', ...others];
}

function said(part: object | undefined): string {
  return canonicalJson(part ?? []);
}

function isSameSize(one: Resources, other: Resources): boolean {
  return one.cpus === other.cpus && parseQuantity(one.memory) === parseQuantity(other.memory);
}

/** What a VM is declared to be whose guest is adopted in this state; undefined where it is none to adopt a guest in. */
export function powerStateFound(powerState: string): 'Running' | 'Paused' | 'Stopped' | undefined {
  if (powerState === 'Running' || powerState === 'Paused') return powerState;
  return powerState === 'ShutOff' || powerState === 'Crashed' ? 'Stopped' : undefined;
}
