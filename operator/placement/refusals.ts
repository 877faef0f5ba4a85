// Which hypervisors refused a VM lately, and on which of them guests failed to start. They are passed over for a while that grows with every refusal, so that a VM
// that fits nowhere costs ever fewer writes, and two full hypervisors do not throw it to each other.
import { findCondition } from '#crds/conditions.ts';
import { currentInstance } from '#crds/derive/epoch.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';

/** What daemons say of a start that the hypervisor refused for no fault of the VM's. */
const START_FAILED = 'StartFailed';
const FIRST_MS = 30_000;
const LONGEST_MS = 600_000;

interface Refused {
  readonly epoch: number;
  readonly times: number;
  /** Hypervisor → until when it is passed over, on the monotonic clock. */
  readonly until: ReadonlyMap<string, number>;
}

function refusedOnceMore(known: Refused | undefined, epoch: number, hypervisor: string, now: number): Refused {
  const times = (known?.times ?? 0) + 1;
  const pause = Math.min(FIRST_MS * 2 ** (times - 1), LONGEST_MS);
  return { epoch, times, until: new Map(known?.until).set(hypervisor, now + pause) };
}

/** Losing it on a restart costs patience, never correctness. */
export class Refusals {
  readonly #byVm = new Map<string, Refused>();
  /** Hypervisor → when a start there was given up last: on the monotonic clock, and as its daemon told. */
  readonly #failedOn = new Map<string, { readonly at: number; readonly told: string }>();

  /**
   * Takes in a VM as it is, at a moment of the monotonic clock. A VM that runs is refused nowhere, and where one has
   * come to run starts do not fail.
   */
  record({ metadata, status }: VirtualMachine, now: number): void {
    const instance = currentInstance(status);
    const { placement } = status ?? {};
    if (instance === undefined || placement === undefined) return;
    if (instance.powerState === 'Running' || instance.powerState === 'Paused') {
      this.#byVm.delete(metadata.uid);
      this.#runsOn(placement.hypervisor, instance.since);
    }
    const known = this.#byVm.get(metadata.uid);
    if (instance.powerState !== 'Refused' || known?.epoch === instance.epoch) return;
    const why = findCondition(status?.conditions, 'Provisioned')?.reason;
    if (why === START_FAILED) this.#failedOn.set(placement.hypervisor, { at: now, told: instance.since });
    this.#byVm.set(metadata.uid, refusedOnceMore(known, instance.epoch, placement.hypervisor, now));
  }

  /** The hypervisors that are to be passed over now. */
  of(uid: string, now: number): string[] {
    const until = this.#byVm.get(uid)?.until ?? new Map<string, number>();
    return [...until].filter(([, end]) => end > now).map(([hypervisor]) => hypervisor);
  }

  /**
   * Whether a guest was given up there lately because it could not be started, and none has been seen to run there since.
   * A machine on which nothing starts stays empty, and so looks like the best place for whatever comes next.
   */
  failedLatelyOn(hypervisor: string, now: number): boolean {
    const at = this.#failedOn.get(hypervisor)?.at;
    return at !== undefined && now - at < LONGEST_MS;
  }

  /** Both times are of the clock of the same daemon. */
  #runsOn(hypervisor: string, since: string): void {
    const failed = this.#failedOn.get(hypervisor);
    if (failed !== undefined && Date.parse(since) > Date.parse(failed.told)) this.#failedOn.delete(hypervisor);
  }

  /** The VM is gone: so that the memory does not grow. */
  forget(uid: string): void {
    this.#byVm.delete(uid);
  }
}
