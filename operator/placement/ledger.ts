// Who is assigned how much where: kept up to date change by change, so that placing one VM does not mean reading all.
import { type Amount, amountOf, larger, minus, NO_AMOUNT, plus, wantsIn } from '#crds/amount.ts';
import { currentInstance, epochIsOver } from '#crds/derive/epoch.ts';
import { isSurelyHibernated } from '#crds/derive/hibernated.ts';
import { activeMigration } from '#crds/derive/migration.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { compareResourceVersions } from '#runtime/kube/resource-version.ts';
import { claimOf, type DiskClaim, type DisksInUse, DiskUses } from './disk-uses.ts';

export interface Assignment {
  readonly hypervisor: string | undefined;
  readonly amount: Amount;
}

/** A guest that moves is counted on both sides: until it is known where it runs, both keep room for it. */
interface Entry extends Assignment {
  readonly target: string | undefined;
  readonly targetClaim: DiskClaim | undefined;
  readonly claim: DiskClaim | undefined;
  readonly resourceVersion: string;
  /** Decided on the object of that version, and not known to be written. */
  readonly assumed: boolean;
}

/**
 * What a VM takes from the hypervisor that holds its epoch; nothing once the epoch is over, or while it is hibernated. What its guest has and what
 * it will have after a restart are both promised, so the larger counts.
 */
export function amountHeld({ status }: VirtualMachine): Amount {
  if (epochIsOver(status) || isSurelyHibernated(status)) return NO_AMOUNT;
  const promised = [currentInstance(status)?.resources, status?.granted?.resources];
  return promised
    .flatMap((resources) => (resources === undefined ? [] : [amountOf(resources)]))
    .reduce(larger, NO_AMOUNT);
}

export class Ledger {
  readonly #entries = new Map<string, Entry>();
  readonly #totals = new Map<string, Amount>();
  readonly #disks = new DiskUses();
  /** By hypervisor, from there or to there. */
  readonly #migrations = new Map<string, number>();
  #inAll = 0;

  /**
   * Takes in a VM as it was read or written. An older state than one already taken in changes nothing, so that the
   * answer to a write and the watch events around it may come in any order. True when room appeared.
   */
  record(vm: VirtualMachine): boolean {
    const previous = this.#entries.get(vm.metadata.uid);
    const age =
      previous === undefined ? 1 : compareResourceVersions(vm.metadata.resourceVersion, previous.resourceVersion);
    if (age < 0 || (age === 0 && previous?.assumed === true)) return false;
    const next = entryOf(vm, false);
    this.#put(vm.metadata.uid, next);
    return previous !== undefined && freed(previous, next);
  }

  /**
   * Takes in a state that is about to be written over the one that it still carries the version of. The function given
   * back takes it out again, for a write that did not happen; it does nothing once something newer was taken in.
   */
  assume(vm: VirtualMachine): () => void {
    const { uid, resourceVersion } = vm.metadata;
    const previous = this.#entries.get(uid);
    const outdated = previous !== undefined && compareResourceVersions(resourceVersion, previous.resourceVersion) < 0;
    if (outdated) return () => undefined;
    const assumed = entryOf(vm, true);
    this.#put(uid, assumed);
    return () => {
      if (this.#entries.get(uid) === assumed) this.#put(uid, previous);
    };
  }

  /** Forgets a VM that is gone. True when room appeared. */
  forget(uid: string): boolean {
    const previous = this.#entries.get(uid);
    this.#put(uid, undefined);
    return previous !== undefined && previous.amount.cpus > 0;
  }

  assignedTo(hypervisor: string): Amount {
    return this.#totals.get(hypervisor) ?? NO_AMOUNT;
  }

  disksInUseOn(hypervisor: string): DisksInUse {
    return this.#disks.on(hypervisor);
  }

  /** Guests that move from this hypervisor or to it. */
  migrationsAt(hypervisor: string): number {
    return this.#migrations.get(hypervisor) ?? 0;
  }

  /** Guests that move. */
  get migrations(): number {
    return this.#inAll;
  }

  /** What this VM is part of that with. */
  assignmentOf(uid: string): Assignment | undefined {
    return this.#entries.get(uid);
  }

  #put(uid: string, next: Entry | undefined): void {
    const previous = this.#entries.get(uid);
    this.#disks.replace(previous?.targetClaim, undefined);
    this.#disks.replace(previous?.claim, next?.claim);
    this.#disks.replace(undefined, next?.targetClaim);
    if (previous !== undefined) this.#total(previous, minus);
    if (next === undefined) {
      this.#entries.delete(uid);
      return;
    }
    this.#entries.set(uid, next);
    this.#total(next, plus);
  }

  #total({ hypervisor, target, amount }: Entry, combine: typeof plus): void {
    for (const name of [hypervisor, target]) {
      if (name !== undefined) this.#totals.set(name, combine(this.assignedTo(name), amount));
    }
    if (hypervisor === undefined || target === undefined) return;
    const one = combine === plus ? 1 : -1;
    this.#inAll += one;
    for (const name of [hypervisor, target]) this.#migrations.set(name, this.migrationsAt(name) + one);
  }
}

function entryOf(vm: VirtualMachine, assumed: boolean): Entry {
  const { resourceVersion } = vm.metadata;
  const hypervisor = vm.status?.placement?.hypervisor;
  const target = activeMigration(vm.status)?.plan.target;
  const claim = claimOf(vm);
  const targetClaim = target === undefined || claim === undefined ? undefined : { ...claim, hypervisor: target };
  return { hypervisor, target, amount: amountHeld(vm), claim, targetClaim, resourceVersion, assumed };
}

function freed(previous: Entry, next: Entry): boolean {
  if (previous.amount.cpus === 0) return false;
  return (
    (previous.target !== undefined && next.target === undefined) ||
    previous.hypervisor !== next.hypervisor ||
    wantsIn(previous.amount, next.amount).length > 0
  );
}
