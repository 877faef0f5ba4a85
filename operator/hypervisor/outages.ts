// For how long hypervisors have not answered their daemons, on our own monotonic clock. A libvirtd that is restarted is
// away for some seconds: its VMs are called Lost only when it stays away.

export class Outages {
  readonly #seenAt = new Map<string, number>();
  readonly #graceMs: number;
  /** Nothing is held against anybody that happened before. */
  #listeningSince: number;

  constructor(graceMs: number, now: number) {
    this.#graceMs = graceMs;
    this.#listeningSince = now;
  }

  /** Counts anew for everybody: while we were deaf, an outage may have ended, and another begun. */
  listenAnew(now: number): void {
    this.#listeningSince = now;
  }

  /** What its daemon says of it. */
  see(hypervisor: string, answers: boolean, now: number): void {
    if (answers) this.#seenAt.delete(hypervisor);
    else if (!this.#seenAt.has(hypervisor)) this.#seenAt.set(hypervisor, now);
  }

  forget(hypervisor: string): void {
    this.#seenAt.delete(hypervisor);
  }

  /** In how many milliseconds it has been away for too long: 0 when it has. Undefined while it answers. */
  graceLeft(hypervisor: string, now: number): number | undefined {
    const seenAt = this.#seenAt.get(hypervisor);
    if (seenAt === undefined) return undefined;
    return Math.max(0, this.#graceMs - (now - Math.max(seenAt, this.#listeningSince)));
  }
}
