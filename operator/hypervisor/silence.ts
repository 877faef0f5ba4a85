// Which hypervisors are heard. A heartbeat is judged by when it was seen to change, on our own monotonic clock: what the
// other side's clock says is not looked at. Who was found silent stays so until heard again.

interface Beat {
  /** Whatever changes with every renewal, for example renewTime as text. */
  readonly value: string;
  readonly changedAt: number;
  /** Seen to change since we began to listen, not merely found. */
  readonly alive: boolean;
}

interface Silence {
  readonly since: number;
  /** By somebody before us, so that finding a heartbeat that may be old ends nothing. */
  readonly foundBefore: boolean;
}

export class Heartbeats {
  readonly #beats = new Map<string, Beat>();
  readonly #silences = new Map<string, Silence>();
  readonly #timeoutMs: number;
  /** Nothing is found silent before the time-out has passed since we began to listen. */
  #listeningSince: number;

  constructor(timeoutMs: number, now: number) {
    this.#timeoutMs = timeoutMs;
    this.#listeningSince = now;
  }

  /**
   * Counts anew for everybody: after a fail-over, or an outage of the API server during which we were deaf. Who was told
   * silent before that is to be named again with `wasSilent`.
   */
  listenAnew(now: number): void {
    this.#listeningSince = now;
    this.#silences.clear();
    for (const [name, beat] of this.#beats) this.#beats.set(name, { ...beat, alive: false });
  }

  /** It was told silent before we began to listen, since so many milliseconds; ignored where it was heard since then. */
  wasSilent(hypervisor: string, milliseconds: number, now: number): void {
    if (this.#silences.has(hypervisor) || this.#beats.get(hypervisor)?.alive === true) return;
    this.#silences.set(hypervisor, { since: now - milliseconds, foundBefore: true });
  }

  hear(hypervisor: string, value: string, now: number): void {
    const known = this.#beats.get(hypervisor);
    if (known?.value === value) return;
    this.#beats.set(hypervisor, { value, changedAt: now, alive: known !== undefined });
    const heardAgain = known !== undefined || this.#silences.get(hypervisor)?.foundBefore === false;
    if (heardAgain) this.#silences.delete(hypervisor);
  }

  forget(hypervisor: string): void {
    this.#beats.delete(hypervisor);
    this.#silences.delete(hypervisor);
  }

  /** Milliseconds of silence where the hypervisor counts as silent; undefined while it is heard. */
  silentFor(hypervisor: string, now: number): number | undefined {
    const lastHeard = this.#lastHeard(hypervisor);
    if (!this.#silences.has(hypervisor) && now - lastHeard >= this.#timeoutMs) {
      this.#silences.set(hypervisor, { since: lastHeard, foundBefore: false });
    }
    const silence = this.#silences.get(hypervisor);
    return silence === undefined ? undefined : now - silence.since;
  }

  /** In how many milliseconds it would count as silent if nothing more were heard. */
  silentIn(hypervisor: string, now: number): number {
    return Math.max(0, this.#timeoutMs - (now - this.#lastHeard(hypervisor)));
  }

  #lastHeard(hypervisor: string): number {
    return Math.max(this.#beats.get(hypervisor)?.changedAt ?? 0, this.#listeningSince);
  }
}
