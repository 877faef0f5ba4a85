// A process that can be killed at any moment: everything it does to the world goes through its life, and from its death
// on nothing reaches the world any more.
import type { HypervisorDriver } from '#node-daemon/hypervisor/driver.ts';
import { DriverError } from '#node-daemon/hypervisor/errors.ts';
import { KubeError } from '#runtime/kube/errors.ts';
import type { KubeStore } from '#runtime/kube/store.ts';

/** When to die: right before or right after the deed of this number, counted from 1. */
export interface Fate {
  readonly deed: number;
  readonly moment: 'before' | 'after';
}

export class Life {
  /** Aborts at death. */
  readonly #end = new AbortController();
  readonly #fate: Fate | undefined;
  deeds = 0;

  constructor(fate?: Fate) {
    this.#fate = fate;
  }

  get signal(): AbortSignal {
    return this.#end.signal;
  }

  end(): void {
    this.#end.abort(new Error('killed'));
  }

  /** Something done to the world: it may be the last. */
  async deed<R>(work: () => Promise<R>, dead: () => Error): Promise<R> {
    this.deeds += 1;
    const fatal = this.#fate?.deed === this.deeds ? this.#fate.moment : undefined;
    if (fatal === 'before') this.end();
    if (this.signal.aborted) throw dead();
    try {
      return this.#unlessDead(await work(), dead);
    } finally {
      if (fatal === 'after') this.end();
    }
  }

  async look<R>(work: () => Promise<R>, dead: () => Error): Promise<R> {
    if (this.signal.aborted) throw dead();
    return this.#unlessDead(await work(), dead);
  }

  #unlessDead<R>(result: R, dead: () => Error): R {
    if (this.signal.aborted) throw dead();
    return result;
  }
}

/** Leases are no deeds: a heartbeat changes nothing that could be half done. */
export function mortalStore(store: KubeStore, life: Life): KubeStore {
  const dead = () => new KubeError('Unreachable', 'this process is dead');
  const write = async <R>(kind: string, work: () => Promise<R>) =>
    kind === 'Lease' ? life.look(work, dead) : life.deed(work, dead);
  return {
    get: async (...args) => life.look(async () => store.get(...args), dead),
    list: async (...args) => life.look(async () => store.list(...args), dead),
    watch: (type, options) => store.watch(type, { ...options, signal: AbortSignal.any([options.signal, life.signal]) }),
    create: async (type, ...args) => write(type.kind, async () => store.create(type, ...args)),
    mergePatch: async (type, ...args) => write(type.kind, async () => store.mergePatch(type, ...args)),
    jsonPatch: async (type, ...args) => write(type.kind, async () => store.jsonPatch(type, ...args)),
    apply: async (type, ...args) => write(type.kind, async () => store.apply(type, ...args)),
    delete: async (type, ...args) => write(type.kind, async () => store.delete(type, ...args)),
  };
}

/** `afterDeed` is called after everything that was done to the hypervisor. */
export function mortalDriver(driver: HypervisorDriver, life: Life, afterDeed: () => void): HypervisorDriver {
  const dead = () => new DriverError('Unreachable', 'this process is dead');
  const look = async <R>(work: () => Promise<R>) => life.look(work, dead);
  const deed = async <R>(work: () => Promise<R>) => life.deed(async () => work().finally(afterDeed), dead);
  return {
    name: driver.name,
    capabilities: async () => look(async () => driver.capabilities()),
    node: async () => look(async () => driver.node()),
    list: async () => look(async () => driver.list()),
    observe: async (uuid) => look(async () => driver.observe(uuid)),
    usage: async () => look(async () => driver.usage()),
    addresses: async (uuid) => look(async () => driver.addresses(uuid)),
    define: async (definition) => deed(async () => driver.define(definition)),
    setMetadata: async (uuid, metadata) => deed(async () => driver.setMetadata(uuid, metadata)),
    start: async (uuid) => deed(async () => driver.start(uuid)),
    shutdown: async (uuid) => deed(async () => driver.shutdown(uuid)),
    destroy: async (uuid) => deed(async () => driver.destroy(uuid)),
    undefine: async (uuid) => deed(async () => driver.undefine(uuid)),
    watch: (signal) => driver.watch(AbortSignal.any([signal, life.signal])),
    close: async () => driver.close(),
  };
}
