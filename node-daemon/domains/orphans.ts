// Guests of ours that no VirtualMachine declares here, as live reads have shown.

export class Orphans {
  readonly #uuids = new Set<string>();
  readonly #onChange: () => void;

  /** `onChange` is called when one was found, and when one is an orphan no more. */
  constructor(onChange: () => void = () => undefined) {
    this.#onChange = onChange;
  }

  has(uuid: string): boolean {
    return this.#uuids.has(uuid);
  }

  add(uuid: string): void {
    if (this.#uuids.has(uuid)) return;
    this.#uuids.add(uuid);
    this.#onChange();
  }

  delete(uuid: string): void {
    if (this.#uuids.delete(uuid)) this.#onChange();
  }
}
