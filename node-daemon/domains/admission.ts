// The one admission point of the node: what runs here never adds up to more than may be given away.
import { formatQuantity } from '#crds/quantity.ts';
import type { Domain } from '../hypervisor/driver.ts';
import type { Amount } from '../inventory/capacity.ts';
import { isUp } from './actions.ts';
import type { Room } from './snapshot.ts';

export class Admission {
  readonly #accepted = new Map<string, Amount>();
  readonly #starting = new Set<string>();
  #allocatable: Amount | undefined;

  /** Nothing fits before this was told once. */
  setAllocatable(allocatable: Amount): void {
    this.#allocatable = allocatable;
  }

  /** Whether this guest fits beside all others, itself not counted twice. */
  roomFor(uuid: string, amount: Amount): Room {
    if (this.#allocatable === undefined)
      return { fits: false, reason: 'What this machine can give away is not known yet.' };
    const taken = this.#takenByOthers(uuid);
    const cpus = this.#allocatable.cpus - taken.cpus;
    const memoryBytes = this.#allocatable.memoryBytes - taken.memoryBytes;
    if (amount.cpus > cpus)
      return { fits: false, reason: `${amount.cpus} CPUs are needed and ${Math.max(cpus, 0)} are free.` };
    if (amount.memoryBytes <= memoryBytes) return { fits: true };
    const [needed, free] = [formatQuantity(amount.memoryBytes), formatQuantity(Math.max(memoryBytes, 0))];
    return { fits: false, reason: `${needed} of memory are needed and ${free} are free.` };
  }

  /** Holds the room from before the start is tried; `started` or `release` follows. */
  accept(uuid: string, amount: Amount): void {
    this.#accepted.set(uuid, amount);
    this.#starting.add(uuid);
  }

  started(uuid: string): void {
    this.#starting.delete(uuid);
  }

  release(uuid: string): void {
    this.#accepted.delete(uuid);
    this.#starting.delete(uuid);
  }

  /** What the guest was just seen to have. */
  observe(uuid: string, domain: Domain | undefined): void {
    if (this.#starting.has(uuid)) return;
    if (domain !== undefined && isUp(domain)) this.#accepted.set(uuid, domain);
    else this.#accepted.delete(uuid);
  }

  /** A complete list of all guests here, foreign ones too: they take room like any other. */
  observeAll(domains: readonly Domain[]): void {
    const listed = new Set(domains.map((domain) => domain.uuid));
    for (const uuid of this.#accepted.keys()) {
      if (!listed.has(uuid)) this.observe(uuid, undefined);
    }
    for (const domain of domains) this.observe(domain.uuid, domain);
  }

  #takenByOthers(uuid: string): Amount {
    let [cpus, memoryBytes] = [0, 0];
    for (const [other, amount] of this.#accepted) {
      if (other === uuid) continue;
      cpus += amount.cpus;
      memoryBytes += amount.memoryBytes;
    }
    return { cpus, memoryBytes };
  }
}
