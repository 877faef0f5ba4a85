// VMs that come and go: each lives for some seconds, and as many are created as are deleted.
import { setTimeout as delay } from 'node:timers/promises';
import { virtualMachineResource } from '#crds/v1alpha1/kinds.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { until } from '#hack/until.ts';
import { systemClock, systemRandom } from '#runtime/clock/system.ts';
import type { KubeStore } from '#runtime/kube/store.ts';
import { silentLogger } from '#runtime/process/log.ts';
import { Reflector } from '#runtime/reflector/reflector.ts';
import { machine, NAMESPACE } from '../machines.ts';

const EVERY_MS = 200;
/** Long enough to run in peace, short enough that fifty live at a time. */
const LIFE_MS = 10_000;

export class LifeAndDeath {
  readonly #user: KubeStore;
  readonly #failures: string[] = [];
  readonly #end = new AbortController();
  #created = 0;
  readonly #reflector: Reflector<VirtualMachine>;
  readonly #watchEnd = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #watching: Promise<void> = Promise.resolve();

  constructor(user: KubeStore) {
    this.#user = user;
    const [clock, random, logger] = [systemClock, systemRandom, silentLogger];
    this.#reflector = new Reflector({ store: user, type: virtualMachineResource, clock, random, logger });
  }

  async begin(): Promise<void> {
    this.#watching = this.#reflector.run(this.#watchEnd.signal);
    await this.#reflector.synced();
    this.#running = this.#goOn();
  }

  /** Returns when the last VM is gone. Gives the number of VMs that lived, and what failed. */
  async end(): Promise<{ created: number; failures: readonly string[] }> {
    this.#end.abort();
    await this.#running;
    await until('all VMs are gone', 120, async () => this.living() === 0).catch((error: unknown) => {
      this.#failures.push(String(error));
    });
    this.#watchEnd.abort();
    await this.#watching;
    return { created: this.#created, failures: this.#failures };
  }

  /** How many VMs there are. */
  living(): number {
    return this.#reflector.cache.size;
  }

  async #goOn(): Promise<void> {
    const lives = new Set<Promise<void>>();
    const began = performance.now();
    while (!this.#end.signal.aborted) {
      this.#created += 1;
      const life = this.#live(`churn-${this.#created}`).catch((error: unknown) => {
        this.#failures.push(String(error));
      });
      lives.add(life);
      void life.then(() => lives.delete(life));
      await delay(Math.max(0, began + this.#created * EVERY_MS - performance.now()));
    }
    await Promise.all(lives);
  }

  async #live(name: string): Promise<void> {
    await this.#user.create(virtualMachineResource, machine(name));
    await delay(LIFE_MS);
    await this.#user.delete(virtualMachineResource, { namespace: NAMESPACE, name });
  }
}
