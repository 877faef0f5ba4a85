// Which hypervisors refused a VM lately. They are passed over for a while that grows with every refusal, so that a VM
// that fits nowhere costs ever fewer writes, and two full hypervisors do not throw it to each other.
import { currentInstance } from '#crds/derive/epoch.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';

const FIRST_MS = 30_000;
const LONGEST_MS = 600_000;

interface Refused {
  readonly epoch: number;
  readonly times: number;
  /** Hypervisor → until when it is passed over, on the monotonic clock. */
  readonly until: ReadonlyMap<string, number>;
}

/** Losing it on a restart costs patience, never correctness. */
export class Refusals {
  readonly #byVm = new Map<string, Refused>();

  /** Takes in a VM as it is, at a moment of the monotonic clock. A VM that runs is refused nowhere. */
  record({ metadata, status }: VirtualMachine, now: number): void {
    const instance = currentInstance(status);
    const known = this.#byVm.get(metadata.uid);
    if (instance?.powerState === 'Running') this.#byVm.delete(metadata.uid);
    if (instance?.powerState !== 'Refused' || status?.placement === undefined || known?.epoch === instance.epoch)
      return;
    const times = (known?.times ?? 0) + 1;
    const pause = Math.min(FIRST_MS * 2 ** (times - 1), LONGEST_MS);
    const until = new Map(known?.until).set(status.placement.hypervisor, now + pause);
    this.#byVm.set(metadata.uid, { epoch: instance.epoch, times, until });
  }

  /** The hypervisors that are to be passed over now. */
  of(uid: string, now: number): string[] {
    const until = this.#byVm.get(uid)?.until ?? new Map<string, number>();
    return [...until].filter(([, end]) => end > now).map(([hypervisor]) => hypervisor);
  }

  /** The VM is gone: so that the memory does not grow. */
  forget(uid: string): void {
    this.#byVm.delete(uid);
  }
}
