// A process that can be killed at any moment: everything it asks of the world goes through its life, and from its death
// on nothing reaches the world any more.
import type { HypervisorDriver } from '#node-daemon/hypervisor/driver.ts';
import { DriverError } from '#node-daemon/hypervisor/errors.ts';
import { KubeError } from '#runtime/kube/errors.ts';
import type { KubeStore } from '#runtime/kube/store.ts';
import { LEASES } from '#runtime/lease/lease.ts';

/** Sent: whom it asked has heard it and is at it; after: it took effect, and the answer is on its way. */
export type Moment = 'before' | 'sent' | 'after';

/** When to die: around the step of this number, counted from 1, and for how long. */
export interface Fate {
  readonly step: number;
  readonly moment: Moment;
  readonly forMilliseconds: number;
}

/** One thing asked of the world. */
export interface Step {
  readonly of: 'API server' | 'hypervisor';
  /** The verb, and of what: "mergePatch VirtualMachine team/web", "start". */
  readonly what: string;
  /** Whether it may change something. To look is no more than a moment that passes, and so is to renew a Lease. */
  readonly changes: boolean;
  /** Whether the other side goes on with it for a while, whoever asked. */
  lasts: boolean;
}

interface Asked<R> extends Pick<Step, 'of' | 'what' | 'changes'> {
  readonly work: () => Promise<R>;
  readonly dead: () => Error;
}

export class Life {
  readonly #end = new AbortController();
  readonly #stop = new AbortController();
  #cutOff = false;
  readonly #monotonic: () => number;
  #fate: Fate | undefined;
  /** What it asked of the world, since it was last told to count anew. */
  steps: Step[] = [];

  constructor(monotonic: () => number, fate?: Fate) {
    this.#monotonic = monotonic;
    this.#fate = fate;
  }

  /** Aborts at death. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  /** Aborts when it is to end by itself, and at death. */
  get stop(): AbortSignal {
    return AbortSignal.any([this.#stop.signal, this.signal]);
  }

  askToEnd(): void {
    this.#stop.abort(new Error('asked to end'));
  }

  /** Whether its network is gone: nothing of the API server reaches it, nor it the API server. */
  cutOff(isCutOff: boolean): void {
    this.#cutOff = isCutOff;
  }

  get isCutOff(): boolean {
    return this.#cutOff;
  }

  end(): void {
    this.#end.abort(new Error('killed'));
  }

  /** Counts from now on, and dies as given. */
  countAnew(fate?: Fate): void {
    this.steps = [];
    this.#fate = fate;
  }

  async ask<R>({ work, dead, ...asked }: Asked<R>): Promise<R> {
    if (this.signal.aborted) throw dead();
    const step: Step = { ...asked, lasts: false };
    this.steps.push(step);
    const fatal = this.#fate?.step === this.steps.length ? this.#fate.moment : undefined;
    if (fatal === 'before') this.end();
    if (this.signal.aborted) throw dead();
    const begun = this.#monotonic();
    const working = work();
    if (fatal === 'sent') this.end();
    const over = () => {
      step.lasts = this.#monotonic() > begun;
      if (fatal === 'after') this.end();
      // Whatever came of it, a dead process does not hear of it.
      if (this.signal.aborted) throw dead();
    };
    try {
      const result = await working;
      over();
      return result;
    } catch (error) {
      over();
      throw error;
    }
  }
}

/** A write that is still on its way to the API server at death gets lost; what the server has begun is done. */
export function mortalStore(store: KubeStore, life: Life): KubeStore {
  const common = { of: 'API server', dead: () => new KubeError('Unreachable', 'this process is dead') } as const;
  const cut = <O extends { signal?: AbortSignal }>(options?: O) => ({
    ...(options as O),
    signal: options?.signal === undefined ? life.signal : AbortSignal.any([options.signal, life.signal]),
  });
  const look = async <R>(what: string, work: () => Promise<R>) =>
    life.ask({ ...common, what, changes: false, work: connected(life, work) });
  const write = async <R>(what: string, work: () => Promise<R>) =>
    life.ask({ ...common, what, changes: !what.endsWith(` ${LEASES.kind}`), work: connected(life, work) });
  return {
    get: async (type, key, given) => look(`get ${type.kind}`, async () => store.get(type, key, given)),
    list: async (type, options) => look(`list ${type.kind}`, async () => store.list(type, options)),
    watch: (type, options) => store.watch(type, cut(options)),
    mayDo: async (question, given) => look(`mayDo ${question.type.kind}`, async () => store.mayDo(question, given)),
    create: async (type, object, given) =>
      write(`create ${type.kind}`, async () => store.create(type, object, cut(given && { signal: given }).signal)),
    mergePatch: async (type, key, patch, options) =>
      write(`mergePatch ${type.kind}`, async () => store.mergePatch(type, key, patch, cut(options))),
    jsonPatch: async (type, key, patch, options) =>
      write(`jsonPatch ${type.kind}`, async () => store.jsonPatch(type, key, patch, cut(options))),
    apply: async (type, object, options) =>
      write(`apply ${type.kind}`, async () => store.apply(type, object, cut(options))),
    delete: async (type, key, options) =>
      write(`delete ${type.kind}`, async () => store.delete(type, key, cut(options))),
  };
}

function connected<R>(life: Life, work: () => Promise<R>): () => Promise<R> {
  if (!life.isCutOff) return work;
  return () => Promise.reject(new KubeError('Unreachable', 'this process has no network'));
}

/** What watches the hypervisor: told of each step that may change something, before and after it. */
export interface Onlooker {
  calling(verb: string, uuid: string): void;
  called(): void;
}

export function mortalDriver(driver: HypervisorDriver, life: Life, onlooker: Onlooker): HypervisorDriver {
  const common = { of: 'hypervisor', dead: () => new DriverError('Unreachable', 'this process is dead') } as const;
  const look = async <R>(what: string, work: () => Promise<R>) => life.ask({ ...common, what, changes: false, work });
  const act = async <R>(what: string, uuid: string, act: () => Promise<R>) => {
    const work = async () => {
      onlooker.calling(what, uuid);
      const acting = act();
      onlooker.called();
      return acting.finally(() => onlooker.called());
    };
    return life.ask({ ...common, what, changes: true, work });
  };
  return {
    name: driver.name,
    capabilities: async () => look('capabilities', async () => driver.capabilities()),
    node: async () => look('node', async () => driver.node()),
    list: async () => look('list', async () => driver.list()),
    observe: async (uuid) => look('observe', async () => driver.observe(uuid)),
    inspect: async (uuid) => look('inspect', async () => driver.inspect(uuid)),
    usage: async () => look('usage', async () => driver.usage()),
    addresses: async (uuid) => look('addresses', async () => driver.addresses(uuid)),
    define: async (definition) => act('define', definition.uuid, async () => driver.define(definition)),
    setMetadata: async (uuid, metadata) => act('setMetadata', uuid, async () => driver.setMetadata(uuid, metadata)),
    release: async (uuid) => act('release', uuid, async () => driver.release(uuid)),
    start: async (uuid, how) => act('start', uuid, async () => driver.start(uuid, how)),
    pause: async (uuid) => act('pause', uuid, async () => driver.pause(uuid)),
    resume: async (uuid) => act('resume', uuid, async () => driver.resume(uuid)),
    hibernate: async (uuid) => act('hibernate', uuid, async () => driver.hibernate(uuid)),
    discardImage: async (uuid) => act('discardImage', uuid, async () => driver.discardImage(uuid)),
    limits: async (uuid) => look('limits', async () => driver.limits(uuid)),
    setLimits: async (uuid, limits) => act('setLimits', uuid, async () => driver.setLimits(uuid, limits)),
    shutdown: async (uuid) => act('shutdown', uuid, async () => driver.shutdown(uuid)),
    reboot: async (uuid) => act('reboot', uuid, async () => driver.reboot(uuid)),
    destroy: async (uuid) => act('destroy', uuid, async () => driver.destroy(uuid)),
    undefine: async (uuid) => act('undefine', uuid, async () => driver.undefine(uuid)),
    checkIncoming: async (definition) => look('checkIncoming', async () => driver.checkIncoming(definition)),
    migrationProgress: async (uuid) => look('migrationProgress', async () => driver.migrationProgress(uuid)),
    migrate: async (uuid, address, options) => act('migrate', uuid, async () => driver.migrate(uuid, address, options)),
    abortMigration: async (uuid) => act('abortMigration', uuid, async () => driver.abortMigration(uuid)),
    takeBack: async (uuid) => act('takeBack', uuid, async () => driver.takeBack(uuid)),
    watch: (signal) => driver.watch(AbortSignal.any([signal, life.signal])),
    close: async () => driver.close(),
  };
}
