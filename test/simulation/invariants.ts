// What must hold at every step of every story, whatever happens in it.
import { isDeepStrictEqual } from 'node:util';
import { type Amount, NO_AMOUNT, NOTHING_GUARANTEED, plus, wantsIn } from '#crds/amount.ts';
import { findCondition } from '#crds/conditions.ts';
import { epochIsOver } from '#crds/derive/epoch.ts';
import { activeMigration } from '#crds/derive/migration.ts';
import { instanceUuid, readPayload } from '#crds/derive/signed-payload.ts';
import { verdictOf } from '#crds/derive/verdict.ts';
import type { HypervisorSpec } from '#crds/v1alpha1/hypervisor.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { PlacementStatus } from '#crds/v1alpha1/virtual-machine-status.ts';
import type { DomainMetadata } from '#node-daemon/hypervisor/driver.ts';
import type { Guest } from '#node-daemon/hypervisor/simulated/guest.ts';
import type { SimulatedHost } from '#node-daemon/hypervisor/simulated/host.ts';
import { allocatableOf } from '#node-daemon/inventory/capacity.ts';
import { amountHeld } from '#operator/placement/ledger.ts';
import type { Signer } from '#operator/signing/key.ts';
import type { AdmissionRequest } from '#runtime/kube/memory/kind-model.ts';
import { OPERATOR } from './kinds.ts';

/** A guest that comes in has not run there yet, and one that stands still at the end of its way runs no more. */
function executes({ power }: Guest): boolean {
  return power.kind !== 'Off' && power.kind !== 'Incoming' && power.kind !== 'Outgoing';
}

/** The one exception: whoever has the guest by migration, and says so, gets the permission that was planned. */
function hasArrived(old: VirtualMachine | undefined, { hypervisor, epoch }: PlacementStatus): boolean {
  const { plan, target } = activeMigration(old?.status) ?? {};
  return target?.state === 'Running' && plan?.target === hypervisor && plan.epoch === epoch;
}

export class Invariants {
  /** What was found broken, in words. */
  readonly broken: string[] = [];
  readonly #hosts: ReadonlyMap<string, SimulatedHost>;
  readonly #signers: Signer[];
  readonly #overcommitOf: (host: string) => HypervisorSpec['overcommit'];
  /** As they are stored, by uid. */
  readonly #machines = new Map<string, VirtualMachine>();
  /** It is looked at often, and takes time to verify. */
  readonly #verified = new Set<string>();

  constructor(
    hosts: ReadonlyMap<string, SimulatedHost>,
    signer: Signer,
    overcommitOf: (host: string) => HypervisorSpec['overcommit'],
  ) {
    this.#hosts = hosts;
    this.#signers = [signer];
    this.#overcommitOf = overcommitOf;
  }

  /** From now on this key signs, too. */
  trust(signer: Signer): void {
    this.#signers.push(signer);
  }

  /** After anything that happened on a hypervisor. */
  checkHosts(): void {
    const runsOn = new Map<string, string[]>();
    for (const [name, host] of this.#hosts) {
      let [cpus, memoryBytes] = [0, 0];
      for (const guest of host.machine.guests.all()) {
        if (guest.power.kind === 'Off') continue;
        if (executes(guest)) runsOn.set(guest.uuid, [...(runsOn.get(guest.uuid) ?? []), name]);
        cpus += guest.cpus;
        memoryBytes += guest.memoryBytes;
        this.#checkSignature(name, guest.metadata);
      }
      const most = this.#mostOn(name, host);
      if (cpus > most.cpus || memoryBytes > most.memoryBytes)
        this.report(`${name} runs more than it may: ${cpus} CPUs`);
    }
    for (const [uuid, names] of runsOn) {
      if (names.length > 1) this.report(`${uuid} runs on ${names.join(' and ')}`);
    }
  }

  #mostOn(name: string, { machine }: SimulatedHost): Amount {
    return allocatableOf(machine.options, NO_AMOUNT, this.#overcommitOf(name));
  }

  #checkSignature(host: string, metadata: { payload: string; signature: string } | undefined): void {
    if (metadata === undefined) return;
    const signed = `${metadata.signature} ${metadata.payload}`;
    if (this.#verified.has(signed)) return;
    this.#verified.add(signed);
    if (!this.#isSigned(metadata))
      this.report(`a guest on ${host} carries a signature that is not over what it carries`);
  }

  #isSigned({ payload, signature }: { payload: string; signature: string }): boolean {
    return this.#signers.some((signer) => signer.verify(payload, signature));
  }

  /** Before a VirtualMachine is stored. */
  checkMachine(vm: VirtualMachine, { old, user, verb }: AdmissionRequest<VirtualMachine>): void {
    this.checkHosts();
    this.#checkEpoch(vm, old);
    this.#checkPromises(vm, user);
    if (verb === 'mergePatch' && old !== undefined && !isDeepStrictEqual(old.status, vm.status))
      this.#checkVerdict(vm, user);
  }

  /** The operator promises no more of a hypervisor than it may give, also to guests that are on their way there. */
  #checkPromises(vm: VirtualMachine, user: string): void {
    const { uid, finalizers = [] } = vm.metadata;
    const hosts = hostsOf(vm).map((host) => ({ host, before: this.#promisedOn(host) }));
    if (finalizers.length === 0) this.#machines.delete(uid);
    else this.#machines.set(uid, vm);
    if (user === OPERATOR) for (const { host, before } of hosts) this.#checkPromised(host, before);
  }

  #checkPromised(host: string, before: Amount): void {
    const promised = this.#promisedOn(host);
    const known = this.#hosts.get(host);
    const beyond = wantsIn(promised, known === undefined ? NO_AMOUNT : this.#mostOn(host, known));
    const grown = wantsIn(promised, before);
    const { cpus, guaranteed = NOTHING_GUARANTEED } = promised;
    if (beyond.some((want) => grown.includes(want)))
      this.report(`more of ${host} is promised than it may give: ${cpus} CPUs, ${guaranteed.cpuMillis}m reserved`);
  }

  #promisedOn(host: string): Amount {
    const there = [...this.#machines.values()].filter((vm) => hostsOf(vm).includes(host));
    return there.map(amountHeld).reduce(plus, NO_AMOUNT);
  }

  /** A permission that was not given back is over only where the guest is proven to be dead, and is. */
  #checkProof({ epoch, proof }: PlacementStatus, uuid: string): void {
    if (proof === undefined) this.report(`epoch ${epoch} was given before the one before it was over`);
    for (const [name, { machine }] of this.#hosts) {
      const runs = (machine.guests.find(uuid)?.power.kind ?? 'Off') !== 'Off';
      if (runs) this.report(`epoch ${epoch} was given while the guest ran on ${name}`);
    }
  }

  #checkEpoch(vm: VirtualMachine, old: VirtualMachine | undefined): void {
    const [before, after] = [old?.status?.placement, vm.status?.placement];
    if (after === undefined || before?.epoch === after.epoch) return;
    if (vm.status?.managed?.origin === 'Recovered' && this.#isBorne(vm, after)) return;
    if (!epochIsOver(old?.status) && !hasArrived(old, after)) this.#checkProof(after, instanceUuid(vm));
    if (after.epoch !== (before?.epoch ?? 0) + 1) this.report(`epoch ${after.epoch} follows ${before?.epoch}`);
  }

  /** The guest is there already, and the operator had signed its permission: the highest that any hypervisor has. */
  #isBorne(vm: VirtualMachine, { hypervisor, epoch }: PlacementStatus): boolean {
    const uuid = instanceUuid(vm);
    const signed = [...this.#hosts].flatMap(([name, { machine }]) => {
      const { payload, signature } = lastGrant(machine.guests.find(uuid)?.metadata);
      return this.#isSigned({ payload, signature }) ? [{ name, epoch: readPayload(payload)?.epoch ?? 0 }] : [];
    });
    const here = signed.find(({ name }) => name === hypervisor);
    return here !== undefined && here.epoch <= epoch && signed.every((other) => other.epoch <= here.epoch);
  }

  #checkVerdict(vm: VirtualMachine, user: string): void {
    const { phase, ready } = verdictOf(vm, vm.status ?? {});
    const told = findCondition(vm.status?.conditions, 'Ready')?.status === 'True';
    if (vm.status?.phase !== phase || told !== ready)
      this.report(`${user} wrote ${vm.status?.phase} where it is ${phase}`);
  }

  report(fault: string): void {
    if (!this.broken.includes(fault)) this.broken.push(fault);
  }
}

function hostsOf({ status }: VirtualMachine): string[] {
  const names = [status?.placement?.hypervisor, activeMigration(status)?.plan.target];
  return names.filter((name) => name !== undefined);
}

function lastGrant(metadata: DomainMetadata | undefined): { payload: string; signature: string } {
  return metadata?.latest ?? metadata ?? { payload: '', signature: '' };
}
