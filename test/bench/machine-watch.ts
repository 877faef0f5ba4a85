// When VirtualMachines were seen to run, by a client that watches.
import { virtualMachineResource } from '#crds/v1alpha1/kinds.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { until } from '#hack/until.ts';
import { systemClock, systemRandom } from '#runtime/clock/system.ts';
import type { KubeStore } from '#runtime/kube/store.ts';
import { silentLogger } from '#runtime/process/log.ts';
import { Reflector } from '#runtime/reflector/reflector.ts';

export class MachineWatch {
  readonly #reflector: Reflector<VirtualMachine>;
  readonly #runningAt = new Map<string, number>();
  readonly #crashedAt = new Map<string, number>();
  readonly #gone = new Set<string>();
  readonly #versions = new Map<string, VirtualMachine[]>();
  readonly #end = new AbortController();
  #running: Promise<void> = Promise.resolve();

  /** Keeps every version of `recorded`. */
  constructor(store: KubeStore, recorded?: string) {
    const [clock, random, logger] = [systemClock, systemRandom, silentLogger];
    this.#reflector = new Reflector({ store, type: virtualMachineResource, clock, random, logger });
    this.#reflector.onChange(({ type, object }) => {
      const { name } = object.metadata;
      if (type === 'deleted') this.#gone.add(name);
      else if (object.status?.phase === 'Running' && !this.#runningAt.has(name)) {
        this.#runningAt.set(name, performance.now());
      }
      if (object.status?.lastTermination?.reason === 'Crashed' && !this.#crashedAt.has(name)) {
        this.#crashedAt.set(name, performance.now());
      }
      if (name === recorded) this.#versions.set(name, [...this.versions(name), object]);
    });
  }

  async start(): Promise<this> {
    this.#running = this.#reflector.run(this.#end.signal);
    await this.#reflector.synced();
    return this;
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#running;
  }

  /** Of `performance.now`: when each was first seen to run, once all were. */
  async untilRunning(names: readonly string[], seconds: number): Promise<number[]> {
    await until(`all ${names.length} VMs run`, seconds, async () => names.every((name) => this.#runningAt.has(name)));
    return names.map((name) => this.#runningAt.get(name) ?? Number.NaN);
  }

  /** Of `performance.now`: when its status first said that its guest had crashed. */
  async untilCrashed(name: string, seconds: number): Promise<number> {
    await until(`the crash of ${name} is told`, seconds, async () => this.#crashedAt.has(name));
    return this.#crashedAt.get(name) ?? Number.NaN;
  }

  async untilGone(names: readonly string[], seconds: number): Promise<void> {
    await until(`all ${names.length} VMs are gone`, seconds, async () => names.every((name) => this.#gone.has(name)));
  }

  versions(name: string): readonly VirtualMachine[] {
    return this.#versions.get(name) ?? [];
  }
}

/** Watches while `measure` runs; every version of `recorded` is kept. */
export async function withMachineWatch<T>(
  user: KubeStore,
  measure: (watch: MachineWatch) => Promise<T>,
  recorded?: string,
): Promise<T> {
  const watch = await new MachineWatch(user, recorded).start();
  try {
    return await measure(watch);
  } finally {
    await watch.stop();
  }
}
