// A whole site in one process and in virtual time: an API server, an operator, a daemon for each simulated hypervisor,
// and a user. The operator and the daemons are the real ones, put together as their programs put them together.

import { instanceUuid } from '#crds/derive/signed-payload.ts';
import type { Hypervisor, HypervisorSpec } from '#crds/v1alpha1/hypervisor.ts';
import { hypervisorResource, operationResource, virtualMachineResource } from '#crds/v1alpha1/kinds.ts';
import { API_VERSION, FORCE_DELETE_ANNOTATION, SITE_RECORD, SYSTEM_NAMESPACE } from '#crds/v1alpha1/names.ts';
import type { OperationSpec } from '#crds/v1alpha1/operation-spec.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { VirtualMachineOperation } from '#crds/v1alpha1/virtual-machine-operation.ts';
import type { VirtualMachineSpec } from '#crds/v1alpha1/virtual-machine-spec.ts';
import type { ControlPlaneMemory } from '#node-daemon/control-plane/memory.ts';
import { memoryGuardFiles } from '#node-daemon/guard/memory-files.ts';
import type { GuardFiles } from '#node-daemon/guard/orders.ts';
import { SimulatedHost } from '#node-daemon/hypervisor/simulated/host.ts';
import type { SimulatedHostOptions } from '#node-daemon/hypervisor/simulated/machine-options.ts';
import { Peers } from '#node-daemon/hypervisor/simulated/peers.ts';
import { AUTOMATIC } from '#operator/hypervisor/acceptance.ts';
import { generateSigningKey, signerFrom } from '#operator/signing/key.ts';
import { CONFIG_MAPS } from '#operator/site/record.ts';
import type { FenceOutcome, Fencer } from '#operator/takeover/fencer.ts';
import { pause } from '#runtime/clock/signals.ts';
import { VirtualClock } from '#runtime/clock/virtual.ts';
import { IDENTITY_NAMESPACE, NAMESPACES } from '#runtime/kube/control-plane.ts';
import type { Call } from '#runtime/kube/memory/faults.ts';
import { MemoryApiServer } from '#runtime/kube/memory/server.ts';
import type { WriteRecord } from '#runtime/kube/memory/write-log.ts';
import type { KubeObject } from '#runtime/kube/resource.ts';
import type { KubeStore } from '#runtime/kube/store.ts';
import { forgetfulMemory } from '#test/builders/control-plane-memory.ts';
import { Invariants } from './invariants.ts';
import {
  configMapModel,
  hypervisorModel,
  leaseModel,
  machineModel,
  namespaceModel,
  OPERATOR,
  operationModel,
  reportModel,
} from './kinds.ts';
import { type Fate, Life, type Step } from './life.ts';
import { Narration } from './narration.ts';
import { runDaemonOf, runGuardOf, runOperatorOf, type Surroundings } from './programs.ts';
import { seededRandom } from './random.ts';
import { Tally } from './tally.ts';
import { Witness } from './witness.ts';

const NAMESPACE = 'team';
const GIBIBYTE = 2 ** 30;
const USER = 'adele';

export interface SiteOptions {
  /** By name; each with 4 CPUs and 8 GiB unless it says otherwise. */
  readonly hypervisors: Readonly<Record<string, Partial<SimulatedHostOptions>>>;
  /** What the daemon of a hypervisor calls its node, where that is not the hypervisor's own name. It is not started. */
  readonly impostors?: Readonly<Record<string, string>>;
  /** The hypervisors whose machines have a guard. */
  readonly guards?: readonly string[];
  /** Whether the operator can have machines switched off. */
  readonly fencing?: boolean;
  /** How long calls of the API server by operator and daemons are on their way, there and back; no time by default. */
  readonly latencyMilliseconds?: number;
  readonly seed?: number;
  /** The operator's option --hypervisor-acceptance. */
  readonly acceptance?: string;
}

/** The process that is the guard of this hypervisor's machine. */
export function guardOf(hypervisor: string): string {
  return `guard of ${hypervisor}`;
}

export class Site {
  readonly clock = new VirtualClock();
  readonly api: MemoryApiServer;
  readonly hosts: ReadonlyMap<string, SimulatedHost>;
  readonly narration: Narration;
  readonly invariants: Invariants;
  readonly witness: Witness;
  readonly user: KubeStore;
  /** What processes ended of that nobody had killed or asked to end. */
  readonly failures: string[] = [];
  /** Uids of VMs that were deleted by force: their guests may run on. */
  readonly forced = new Set<string>();
  /** Why a daemon does nothing, by the name of its hypervisor. */
  readonly unready = new Map<string, string>();
  /** The hypervisors that were fenced, one after the other. */
  readonly fenced: string[] = [];
  readonly #acceptance: string;
  readonly #impostors: Readonly<Record<string, string>>;
  readonly #guardFiles: ReadonlyMap<string, GuardFiles>;
  readonly #fencer: Fencer | undefined;
  readonly #random: () => number;
  readonly #tally: Tally;
  #signer = signerFrom(generateSigningKey());
  readonly #lives = new Map<string, Life>();
  /** What is on the disks of the machines. */
  readonly #memories = new Map<string, ControlPlaneMemory>();
  readonly #births = new Map<string, number>();
  /** Of those that are not born yet. */
  readonly #fates = new Map<string, Fate>();
  readonly #running = new Set<Promise<void>>();
  readonly #closed = new AbortController();

  constructor(options: SiteOptions) {
    const { clock } = this;
    this.#impostors = options.impostors ?? {};
    this.#guardFiles = new Map((options.guards ?? []).map((name) => [name, memoryGuardFiles()]));
    this.#fencer = options.fencing === true ? { fence: async ({ hypervisor }) => this.#fence(hypervisor) } : undefined;
    this.#acceptance = options.acceptance ?? AUTOMATIC;
    this.#random = seededRandom(options.seed ?? 1);
    this.api = new MemoryApiServer({ clock, random: this.#random });
    const peers = new Peers();
    this.hosts = new Map(
      Object.entries(options.hypervisors).map(([name, host]) => [
        name,
        new SimulatedHost({ clock, name, peers, cpus: 4, memoryBytes: 8 * GIBIBYTE, ...host }),
      ]),
    );
    this.narration = new Narration(() => clock.now());
    this.invariants = new Invariants(this.hosts, this.#signer, (host) => this.#overcommitOf(host));
    this.witness = new Witness({
      hosts: this.hosts,
      nodeOf: (host) => this.#nodeOf(host),
      now: () => clock.now(),
      machines: () => this.#storedMachines(),
      report: (fault) => this.invariants.report(fault),
      happened: () => this.invariants.checkHosts(),
    });
    this.#tally = new Tally(
      (fault) => this.invariants.report(fault),
      () => clock.now(),
    );
    this.user = this.api.asUser(USER);
    this.#serve(options);
  }

  #serve({ latencyMilliseconds }: SiteOptions): void {
    this.api.serve(leaseModel).serve(hypervisorModel).serve(reportModel).serve(namespaceModel).serve(configMapModel);
    this.api.serve(
      machineModel((vm, request) => {
        this.invariants.checkMachine(vm, request);
        this.witness.wrote(vm, request);
        this.narration.wrote(vm, request);
      }),
    );
    this.api.serve(
      operationModel((operation, request) => {
        this.#tally.wrote(operation, request);
        this.narration.operationWrote(operation, request);
      }),
    );
    if (latencyMilliseconds === undefined) return;
    const delay = () => latencyMilliseconds / 2;
    const match = ({ user }: Call) => user !== USER;
    this.api.faults.add({ match, times: Number.POSITIVE_INFINITY, requestDelay: delay, answerDelay: delay });
  }

  #nodeOf(host: string): string {
    return this.#impostors[host] ?? host;
  }

  #storedMachines(): VirtualMachine[] {
    return this.#stored(virtualMachineResource.kind) as VirtualMachine[];
  }

  #overcommitOf(host: string): HypervisorSpec['overcommit'] {
    const hypervisors = this.#stored(hypervisorResource.kind) as Hypervisor[];
    return hypervisors.find(({ metadata }) => metadata.name === this.#nodeOf(host))?.spec.overcommit;
  }

  #stored(kind: string): KubeObject[] {
    const { database } = this.api;
    return database.entriesAt(kind, database.revision).map(([, { object }]) => object);
  }

  /** Everything runs, and every hypervisor is known. */
  async open(): Promise<this> {
    await this.#found();
    this.start(OPERATOR);
    for (const name of this.hosts.keys()) {
      if (this.#nodeOf(name) === name) this.start(name);
    }
    for (const name of this.#guardFiles.keys()) this.start(guardOf(name));
    await this.clock.advance(10_000);
    return this;
  }

  /** A new control plane, with nothing in it. */
  async #found(): Promise<void> {
    await this.user.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: IDENTITY_NAMESPACE } });
  }

  /** etcd is lost with all that was in it, and the API installed anew; what people had put aside is put back first. */
  async loseControlPlane(kept: readonly KubeObject[] = []): Promise<void> {
    this.api.restore({ revision: 1, kinds: new Map() });
    await this.#found();
    for (const { metadata, ...object } of kept) {
      const { name, namespace, annotations } = metadata;
      const bare = { name, ...(namespace && { namespace }), ...(annotations && { annotations }) };
      await this.user.create(CONFIG_MAPS, { ...object, metadata: bare });
    }
  }

  /** Nobody had put it aside: the next operator makes another. */
  loseKey(): void {
    this.#signer = signerFrom(generateSigningKey());
    this.invariants.trust(this.#signer);
  }

  /** What a site backs up beside its key. */
  async siteRecord(): Promise<KubeObject> {
    return this.user.get(CONFIG_MAPS, { namespace: SYSTEM_NAMESPACE, name: SITE_RECORD });
  }

  /** Ends everything, so that nothing is left that could run on. */
  async close(): Promise<void> {
    this.#closed.abort();
    for (const life of this.#lives.values()) life.end();
    await this.clock.advance(120_000);
    await Promise.all(this.#running);
  }

  /** A new process of the operator, or of the daemon of a hypervisor. */
  start(name: string): void {
    const fate = this.#fates.get(name);
    this.#fates.delete(name);
    const life = new Life(() => this.clock.monotonic());
    this.#lives.set(name, life);
    if (fate !== undefined) this.#doom(name, life, fate);
    this.#births.set(name, this.birthsOf(name) + 1);
    const running = this.#run(name, life).catch((error: unknown) => {
      if (!life.stop.aborted) this.failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    });
    this.#running.add(running);
  }

  /** This process dies at a step counted from now on, or from its birth if that is still to come, and comes back. */
  doom(name: string, fate: Fate): void {
    const life = this.#lives.get(name);
    if (life === undefined) this.#fates.set(name, fate);
    else this.#doom(name, life, fate);
  }

  #doom(name: string, life: Life, fate: Fate): void {
    life.countAnew(fate);
    const comeBack = async () => {
      await pause(this.clock, fate.forMilliseconds, this.#closed.signal);
      if (!this.#closed.signal.aborted) this.start(name);
    };
    life.signal.addEventListener('abort', () => void comeBack(), { once: true });
  }

  /** Nothing that anybody did so far counts. */
  countAnew(): void {
    for (const life of this.#lives.values()) life.countAnew();
  }

  /** What this process asked of the world since it was born or `countAnew`. */
  stepsOf(name: string): readonly Step[] {
    return this.#lives.get(name)?.steps ?? [];
  }

  /** As kill -9 does: in the middle of whatever it was doing. */
  kill(name: string): void {
    this.#lives.get(name)?.end();
  }

  /** As a service manager does: it may finish what it is at. */
  stop(name: string): void {
    this.#lives.get(name)?.askToEnd();
  }

  /** Its processes can no longer talk to the API server, or can again. */
  cutOff(name: string, isCutOff: boolean): void {
    this.#lives.get(name)?.cutOff(isCutOff);
  }

  isAlive(name: string): boolean {
    return this.#lives.get(name)?.signal.aborted === false;
  }

  /** How often it was started. */
  birthsOf(name: string): number {
    return this.#births.get(name) ?? 0;
  }

  async #run(name: string, life: Life): Promise<void> {
    if (name === OPERATOR) return runOperatorOf(this.#surroundings, life);
    const guarded = [...this.#guardFiles].find(([host]) => guardOf(host) === name);
    if (guarded === undefined) return this.#runDaemon(name, life);
    const [host, files] = guarded;
    return runGuardOf(this.#surroundings, this.host(host), files, life);
  }

  /** Its machine is switched off and on again; whoever starts its programs is another question. */
  async #fence(name: string): Promise<FenceOutcome> {
    this.fenced.push(name);
    this.kill(name);
    this.kill(guardOf(name));
    this.host(name).reboot();
    return { kind: 'Fenced', message: `${name} was switched off.` };
  }

  async #runDaemon(name: string, life: Life): Promise<void> {
    const [host, nodeName] = [this.host(name), this.#nodeOf(name)];
    const onlooker = this.witness.onlooker(name);
    const setUnready = (reason: string | undefined) => this.unready.set(name, reason ?? '');
    const memory = this.#memories.get(name) ?? forgetfulMemory();
    this.#memories.set(name, memory);
    const guardFiles = this.#guardFiles.get(name);
    await runDaemonOf(this.#surroundings, { host, nodeName, onlooker, setUnready, memory, guardFiles }, life);
  }

  get #surroundings(): Surroundings {
    const warn: Surroundings['warn'] = ({ metadata }, reason, message) =>
      this.narration.warning(metadata.name, reason, message);
    const { api, clock } = this;
    const [acceptance, fencer] = [this.#acceptance, this.#fencer];
    return { api, clock, random: this.#random, signer: this.#signer, acceptance, warn, fencer };
  }

  host(name: string): SimulatedHost {
    const host = this.hosts.get(name);
    if (host === undefined) throw new TypeError(`there is no hypervisor ${name} in this story`);
    return host;
  }

  async create(name: string, spec: Partial<VirtualMachineSpec> = {}): Promise<void> {
    const boot = { kernel: { image: 'vmlinuz' } };
    const complete = { resources: { cpus: 1, memory: '1Gi' }, boot, ...spec } as VirtualMachineSpec;
    const metadata = { name, namespace: NAMESPACE };
    await this.user.create(virtualMachineResource, {
      apiVersion: API_VERSION,
      kind: 'VirtualMachine',
      metadata,
      spec: complete,
    });
  }

  async operate(name: string, spec: Pick<OperationSpec, 'type' | 'targets'> & Partial<OperationSpec>): Promise<void> {
    await this.user.create(operationResource, {
      apiVersion: API_VERSION,
      kind: 'VirtualMachineOperation',
      metadata: { name, namespace: NAMESPACE },
      spec: spec as OperationSpec,
    });
  }

  async editOperation(name: string, spec: Partial<OperationSpec>): Promise<void> {
    await this.user.mergePatch(operationResource, { namespace: NAMESPACE, name }, { spec });
  }

  /** Rejects with NotFound. */
  async operation(name: string): Promise<VirtualMachineOperation> {
    return this.user.get(operationResource, { namespace: NAMESPACE, name });
  }

  async edit(name: string, spec: object): Promise<void> {
    await this.user.mergePatch(virtualMachineResource, { namespace: NAMESPACE, name }, { spec });
  }

  async delete(name: string): Promise<void> {
    await this.user.delete(virtualMachineResource, { namespace: NAMESPACE, name });
  }

  /** Accepts that the guest of a VM that is being deleted may run on. */
  async forceDelete(name: string): Promise<void> {
    const { metadata, status } = await this.machine(name);
    const annotations = { [FORCE_DELETE_ANNOTATION]: status?.placement?.hypervisor ?? '' };
    await this.user.mergePatch(virtualMachineResource, { namespace: NAMESPACE, name }, { metadata: { annotations } });
    this.forced.add(metadata.uid);
  }

  /** As an administrator; null leaves it to the operator. */
  async accept(name: string, accepted: boolean | null): Promise<void> {
    await this.user.mergePatch(hypervisorResource, { name }, { spec: { accepted } });
  }

  async cordon(name: string, unschedulable: boolean): Promise<void> {
    await this.user.mergePatch(hypervisorResource, { name }, { spec: { unschedulable } });
  }

  async maintain(name: string, maintenance: boolean): Promise<void> {
    await this.user.mergePatch(hypervisorResource, { name }, { spec: { maintenance } });
  }

  async machines(): Promise<VirtualMachine[]> {
    return (await this.user.list(virtualMachineResource)).items;
  }

  /** Rejects with NotFound. */
  async machine(name: string): Promise<VirtualMachine> {
    return this.user.get(virtualMachineResource, { namespace: NAMESPACE, name });
  }

  /** The identifier of its guest. */
  async uuidOf(name: string): Promise<string> {
    return instanceUuid(await this.machine(name));
  }

  async phaseOf(name: string): Promise<string | undefined> {
    return (await this.machine(name)).status?.phase;
  }

  /** Its guest crashes, wherever it runs. */
  crash(uuid: string): void {
    for (const name of this.runningOn(uuid)) this.host(name).crash(uuid);
  }

  /** The hypervisors on which it has a process. */
  runningOn(uuid: string): string[] {
    const runs = (host: SimulatedHost) => host.machine.guests.find(uuid)?.power.kind ?? 'Off';
    return [...this.hosts].filter(([, host]) => runs(host) !== 'Off').map(([name]) => name);
  }

  /** The writes that reached the API server, but for Leases. */
  writes(matches: (write: WriteRecord) => boolean = () => true): WriteRecord[] {
    return this.api.writes.filter((write) => write.kind !== 'Lease' && matches(write));
  }

  /** Writes of VirtualMachines by operator and daemons, as "operator status" or "hv1 status"; those of usage apart. */
  machineWrites(): string[] {
    const counts = ({ kind, user, verb }: WriteRecord) =>
      kind === 'VirtualMachine' && user !== USER && verb !== 'jsonPatch';
    return this.writes(counts).map(
      ({ user, subresource = 'object', outcome }) =>
        `${user} ${subresource}${outcome === 'written' ? '' : ` ${outcome}`}`,
    );
  }

  forgetWrites(): void {
    this.api.writes.length = 0;
    this.api.compact();
  }
}
