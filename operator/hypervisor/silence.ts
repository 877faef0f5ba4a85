// Which hypervisors are heard. A heartbeat is judged by when it was seen to change, on our own monotonic clock: what the
// other side's clock says is not looked at.

interface Beat {
  /** Whatever changes with every renewal, for example renewTime as text. */
  readonly value: string;
  readonly changedAt: number;
}

const NEVER_HEARD = '';

export class Heartbeats {
  readonly #beats = new Map<string, Beat>();
  readonly #timeoutMs: number;
  /** Nothing is called silent before the time-out has passed since we began to listen. */
  #listeningSince: number;

  constructor(timeoutMs: number, now: number) {
    this.#timeoutMs = timeoutMs;
    this.#listeningSince = now;
  }

  /** Counts anew for everybody: after a restart, a fail-over, or an outage of the API server during which we were deaf. */
  listenAnew(now: number): void {
    this.#listeningSince = now;
  }

  /** It has joined, and had no time yet to be heard: the count begins now, unless it was heard before. */
  meet(hypervisor: string, now: number): void {
    if (!this.#beats.has(hypervisor)) this.#beats.set(hypervisor, { value: NEVER_HEARD, changedAt: now });
  }

  hear(hypervisor: string, value: string, now: number): void {
    if (this.#beats.get(hypervisor)?.value === value) return;
    this.#beats.set(hypervisor, { value, changedAt: now });
  }

  forget(hypervisor: string): void {
    this.#beats.delete(hypervisor);
  }

  /** Milliseconds of silence beyond which the hypervisor counts as silent; undefined while it is heard. */
  silentFor(hypervisor: string, now: number): number | undefined {
    const silence = now - this.#lastHeard(hypervisor);
    return silence >= this.#timeoutMs ? silence : undefined;
  }

  /** In how many milliseconds it would count as silent if nothing more were heard. */
  silentIn(hypervisor: string, now: number): number {
    return Math.max(0, this.#timeoutMs - (now - this.#lastHeard(hypervisor)));
  }

  #lastHeard(hypervisor: string): number {
    return Math.max(this.#beats.get(hypervisor)?.changedAt ?? 0, this.#listeningSince);
  }
}
