// Simulated machines that can send each other guests, by the address under which each takes them in.
import type { Machine } from './machine.ts';

export interface Peer {
  readonly machine: Machine;
  /** Whether its hypervisor can be asked to take a guest in. */
  readonly answers: () => boolean;
}

export class Peers {
  readonly #byAddress = new Map<string, Peer>();

  join(address: string, peer: Peer): void {
    this.#byAddress.set(address, peer);
  }

  find(address: string): Peer | undefined {
    return this.#byAddress.get(address);
  }
}
