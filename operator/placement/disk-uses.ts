// Which VM has which volume on which hypervisor. Two guests that write to one would destroy it: the hypervisor's locks
// keep them from that, and here it is said before.
import { epochIsOver } from '#crds/derive/epoch.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { VirtualMachineSpec } from '#crds/v1alpha1/virtual-machine-spec.ts';

export type Disk = NonNullable<VirtualMachineSpec['disks']>[number];

export interface DiskUser {
  readonly uid: string;
  /** namespace/name */
  readonly name: string;
  readonly readOnly: boolean;
}

/** By `volumeKey`. */
export type DisksInUse = ReadonlyMap<string, readonly DiskUser[]>;

/** The disks that a VM uses there. */
export interface DiskClaim {
  readonly hypervisor: string;
  readonly uid: string;
  readonly name: string;
  readonly disks: readonly Disk[];
}

const NONE: DisksInUse = new Map();

/** Pools of one name on two hypervisors may be two places: a key means one volume on one hypervisor only. */
function volumeKey({ pool, volume }: Pick<Disk, 'pool' | 'volume'>): string {
  return `${pool}/${volume}`;
}

/** Those of the hypervisor that holds its epoch; undefined where it uses none. Known from the spec as it is now. */
export function claimOf({ metadata, spec, status }: VirtualMachine): DiskClaim | undefined {
  const { disks = [] } = spec;
  const hypervisor = status?.placement?.hypervisor;
  if (hypervisor === undefined || disks.length === 0 || epochIsOver(status)) return undefined;
  return { hypervisor, uid: metadata.uid, name: `${metadata.namespace}/${metadata.name}`, disks };
}

/** Another VM that has the disk, unless both only read it. */
export function otherUser(inUse: DisksInUse, disk: Disk, uid: string): DiskUser | undefined {
  const users = inUse.get(volumeKey(disk)) ?? [];
  return users.find((user) => user.uid !== uid && !(user.readOnly && disk.readOnly === true));
}

export class DiskUses {
  readonly #byHypervisor = new Map<string, Map<string, readonly DiskUser[]>>();

  /** As they are now and will be: it goes on to change. */
  on(hypervisor: string): DisksInUse {
    return this.#byHypervisor.get(hypervisor) ?? NONE;
  }

  /** A VM's claim changes from one to the other. */
  replace(previous: DiskClaim | undefined, next: DiskClaim | undefined): void {
    if (previous !== undefined) this.#change(previous, () => []);
    if (next !== undefined) this.#change(next, ({ uid, name }, { readOnly = false }) => [{ uid, name, readOnly }]);
  }

  #change(claim: DiskClaim, usersOf: (claim: DiskClaim, disk: Disk) => DiskUser[]): void {
    const here = this.#byHypervisor.get(claim.hypervisor) ?? new Map<string, readonly DiskUser[]>();
    this.#byHypervisor.set(claim.hypervisor, here);
    for (const disk of claim.disks) {
      const key = volumeKey(disk);
      const users = [...(here.get(key) ?? []).filter(({ uid }) => uid !== claim.uid), ...usersOf(claim, disk)];
      if (users.length > 0) here.set(key, users);
      else here.delete(key);
    }
  }
}
