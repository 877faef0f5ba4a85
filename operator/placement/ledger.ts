// Who is assigned how much where: kept up to date change by change, so that placing one VM does not mean reading all.
import { epochIsOver } from '#crds/derive/epoch.ts';
import { parseQuantity } from '#crds/quantity.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Amount } from './candidate.ts';

interface Assignment {
  readonly hypervisor: string | undefined;
  readonly epoch: number;
  readonly amount: Amount;
}

const NOTHING: Amount = { cpus: 0, memoryBytes: 0 };

/** What a VM takes from the hypervisor that holds its epoch; nothing once the epoch is over. */
export function amountHeld(vm: VirtualMachine): Amount {
  const { status } = vm;
  const resources = status?.instance?.resources ?? status?.granted?.resources;
  if (resources === undefined || epochIsOver(status)) return NOTHING;
  return { cpus: resources.cpus, memoryBytes: parseQuantity(resources.memory) };
}

export class Ledger {
  private readonly assignments = new Map<string, Assignment>();
  private readonly totals = new Map<string, Amount>();

  /**
   * Takes in a VM as it was read or written. An older state than one already taken in (a lower epoch) changes nothing,
   * so that a write and the watch event of the one before it may come in either order. True when room appeared.
   */
  record(vm: VirtualMachine): boolean {
    const epoch = vm.status?.placement?.epoch ?? 0;
    const previous = this.assignments.get(vm.metadata.uid);
    if (previous !== undefined && previous.epoch > epoch) return false;
    const next: Assignment = { hypervisor: vm.status?.placement?.hypervisor, epoch, amount: amountHeld(vm) };
    this.assignments.set(vm.metadata.uid, next);
    this.move(previous, next);
    return previous !== undefined && freed(previous, next);
  }

  /**
   * Takes in a state that is about to be written. The function given back takes it out again, for a write that did not
   * happen; it does nothing once something newer was taken in.
   */
  assume(vm: VirtualMachine): () => void {
    const { uid } = vm.metadata;
    const previous = this.assignments.get(uid);
    this.record(vm);
    const assumed = this.assignments.get(uid);
    return () => {
      if (assumed === undefined || this.assignments.get(uid) !== assumed) return;
      this.move(assumed, previous);
      if (previous === undefined) this.assignments.delete(uid);
      else this.assignments.set(uid, previous);
    };
  }

  /** Forgets a VM that is gone. True when room appeared. */
  forget(uid: string): boolean {
    const previous = this.assignments.get(uid);
    if (previous === undefined) return false;
    this.assignments.delete(uid);
    this.move(previous, undefined);
    return previous.amount.cpus > 0;
  }

  assignedTo(hypervisor: string): Amount {
    return this.totals.get(hypervisor) ?? NOTHING;
  }

  private move(from: Assignment | undefined, to: Assignment | undefined): void {
    if (from !== undefined) this.add(from, -1);
    if (to !== undefined) this.add(to, 1);
  }

  private add({ hypervisor, amount }: Assignment, sign: 1 | -1): void {
    if (hypervisor === undefined) return;
    const total = this.assignedTo(hypervisor);
    this.totals.set(hypervisor, {
      cpus: total.cpus + sign * amount.cpus,
      memoryBytes: total.memoryBytes + sign * amount.memoryBytes,
    });
  }
}

function freed(previous: Assignment, next: Assignment): boolean {
  return (
    previous.hypervisor !== next.hypervisor ||
    next.amount.cpus < previous.amount.cpus ||
    next.amount.memoryBytes < previous.amount.memoryBytes
  );
}
