// Why guests stay on hypervisors that are to be emptied, as was found when each was last looked at.
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';

export class Drains {
  readonly #why = new Map<string, string>();
  readonly #onChanged: (hypervisor: string) => void;

  /** `onChanged` is told of hypervisors of which there is something else to say. */
  constructor(onChanged: (hypervisor: string) => void) {
    this.#onChanged = onChanged;
  }

  tell({ metadata, status }: VirtualMachine, why: string | undefined): void {
    if (this.#why.get(metadata.uid) === why) return;
    if (why === undefined) this.#why.delete(metadata.uid);
    else this.#why.set(metadata.uid, why);
    const hypervisor = status?.placement?.hypervisor;
    if (hypervisor !== undefined) this.#onChanged(hypervisor);
  }

  why(uid: string): string | undefined {
    return this.#why.get(uid);
  }

  forget(uid: string): void {
    this.#why.delete(uid);
  }
}
