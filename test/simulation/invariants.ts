// What must hold at every step of every story, whatever happens in it.
import { isDeepStrictEqual } from 'node:util';
import { findCondition } from '#crds/conditions.ts';
import { epochIsOver } from '#crds/derive/epoch.ts';
import { verdictOf } from '#crds/derive/verdict.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { SimulatedHost } from '#node-daemon/hypervisor/simulated/host.ts';
import type { Signer } from '#operator/signing/key.ts';
import type { AdmissionRequest } from '#runtime/kube/memory/kind-model.ts';

export class Invariants {
  /** What was found broken, in words. */
  readonly broken: string[] = [];
  readonly #hosts: ReadonlyMap<string, SimulatedHost>;
  readonly #signer: Signer;

  constructor(hosts: ReadonlyMap<string, SimulatedHost>, signer: Signer) {
    this.#hosts = hosts;
    this.#signer = signer;
  }

  /** After anything that a daemon did to its hypervisor. */
  checkHosts(): void {
    const runsOn = new Map<string, string[]>();
    for (const [name, host] of this.#hosts) {
      let [cpus, memoryBytes] = [0, 0];
      for (const guest of host.machine.guests.all()) {
        if (guest.power.kind === 'Off') continue;
        runsOn.set(guest.uuid, [...(runsOn.get(guest.uuid) ?? []), name]);
        cpus += guest.cpus;
        memoryBytes += guest.memoryBytes;
        this.#checkSignature(name, guest.metadata);
      }
      const { cpus: allCpus, memoryBytes: allMemory } = host.machine.options;
      if (cpus > allCpus || memoryBytes > allMemory) this.#report(`${name} runs more than it has: ${cpus} CPUs`);
    }
    for (const [uuid, names] of runsOn) {
      if (names.length > 1) this.#report(`${uuid} runs on ${names.join(' and ')}`);
    }
  }

  #checkSignature(host: string, metadata: { payload: string; signature: string } | undefined): void {
    if (metadata === undefined || this.#signer.verify(metadata.payload, metadata.signature)) return;
    this.#report(`a guest on ${host} carries a signature that is not over what it carries`);
  }

  /** Before a VirtualMachine is stored. */
  checkMachine(vm: VirtualMachine, { old, user, verb }: AdmissionRequest<VirtualMachine>): void {
    this.checkHosts();
    this.#checkEpoch(vm, old);
    if (verb === 'mergePatch' && old !== undefined && !isDeepStrictEqual(old.status, vm.status))
      this.#checkVerdict(vm, user);
  }

  #checkEpoch({ status }: VirtualMachine, old: VirtualMachine | undefined): void {
    const [before, after] = [old?.status?.placement, status?.placement];
    if (after === undefined || before?.epoch === after.epoch) return;
    if (!epochIsOver(old?.status))
      this.#report(`epoch ${after.epoch} was given before epoch ${before?.epoch} was over`);
    if (after.epoch !== (before?.epoch ?? 0) + 1) this.#report(`epoch ${after.epoch} follows ${before?.epoch}`);
  }

  #checkVerdict(vm: VirtualMachine, user: string): void {
    const { phase, ready } = verdictOf(vm, vm.status ?? {});
    const told = findCondition(vm.status?.conditions, 'Ready')?.status === 'True';
    if (vm.status?.phase !== phase || told !== ready)
      this.#report(`${user} wrote ${vm.status?.phase} where it is ${phase}`);
  }

  #report(fault: string): void {
    if (!this.broken.includes(fault)) this.broken.push(fault);
  }
}
