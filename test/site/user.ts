// What a user does and sees: manifests in with kubectl, phase, conditions, events and descriptions out.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findCondition } from '#crds/conditions.ts';
import type { Condition } from '#crds/v1alpha1/fragments.ts';
import type { Hypervisor } from '#crds/v1alpha1/hypervisor.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Phase } from '#crds/v1alpha1/virtual-machine-status.ts';
import { kubectl } from '#hack/control-plane/kubectl.ts';
import type { Site } from '#hack/site/site.ts';
import { Chronicle } from './chronicle.ts';
import type { Manifest, SpecInput } from './manifest.ts';

const API = '/apis/usher.dev/v1alpha1';

export class User {
  readonly machines: Chronicle<VirtualMachine>;
  readonly hypervisors: Chronicle<Hypervisor>;
  readonly #site: Site;

  constructor(site: Site) {
    this.#site = site;
    this.machines = new Chronicle(site.controlPlane.access, `${API}/virtualmachines`);
    this.hypervisors = new Chronicle(site.controlPlane.access, `${API}/hypervisors`);
  }

  async kubectl(...args: string[]): Promise<string> {
    return kubectl(this.#site.controlPlane, ...args);
  }

  async apply(...manifests: Manifest[]): Promise<void> {
    const file = join(this.#site.options.directory, `${manifests[0]?.metadata.name ?? 'empty'}.json`);
    await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests }));
    await this.kubectl('apply', '-f', file);
  }

  /** As `kubectl edit` would. */
  async change(name: string, spec: SpecInput): Promise<void> {
    await this.kubectl('patch', 'uvm', name, '--type', 'merge', '-p', JSON.stringify({ spec }));
  }

  async changeHypervisor(name: string, spec: object): Promise<void> {
    await this.kubectl('patch', 'uhv', name, '--type', 'merge', '-p', JSON.stringify({ spec }));
  }

  /** Does not wait for the end. */
  async remove(...names: string[]): Promise<void> {
    await this.kubectl('delete', 'uvm', ...names, '--wait=false');
  }

  async untilGone(name: string, seconds?: number): Promise<void> {
    await this.machines.untilGone(name, summary, seconds);
  }

  /** Waits until phase and Ready's reason are these: "Running", "Failed Crashed". Without a reason it is the phase. */
  async sees(name: string, state: Phase | `${Phase} ${string}`, seconds?: number): Promise<VirtualMachine> {
    const wanted = state.includes(' ') ? state : `${state} ${state}`;
    return this.seesThat(name, `it says ${wanted}`, (vm) => stateOf(vm) === wanted, seconds);
  }

  async seesThat(
    name: string,
    what: string,
    holds: (vm: VirtualMachine) => boolean,
    seconds?: number,
  ): Promise<VirtualMachine> {
    return this.machines.until(name, { what, holds, told: summary, ...(seconds === undefined ? {} : { seconds }) });
  }

  async seesHypervisor(name: string, type: string, status: Condition['status'], seconds = 60): Promise<Condition> {
    const conditionOf = ({ status: seen }: Hypervisor) => findCondition(seen?.conditions, type);
    const hypervisor = await this.hypervisors.until(name, {
      what: `its condition ${type} is ${status}`,
      holds: (object) => conditionOf(object)?.status === status,
      told: (object) => JSON.stringify(object.status?.conditions),
      seconds,
    });
    return conditionOf(hypervisor) ?? never(type);
  }

  /** What `kubectl describe` prints of it. */
  async describe(name: string): Promise<string> {
    return this.kubectl('describe', 'uvm', name);
  }

  /** The VM as it is now. */
  latest(name: string): VirtualMachine {
    return this.machines.latest(name) ?? never(name);
  }

  /** The states it went through, each as "phase reason", without repetitions. */
  story(name: string): string[] {
    const states = this.machines.versions(name).map(stateOf);
    return states.filter((state, index) => state !== states[index - 1]);
  }

  /** The warnings that `kubectl describe` lists, as "reason: message". */
  async warnings(name: string): Promise<string[]> {
    const selector = `type=Warning,involvedObject.kind=VirtualMachine,involvedObject.name=${name}`;
    const path = `jsonpath={range .items[*]}{.reason}: {.message}{"\\n"}{end}`;
    const text = await this.kubectl('get', 'events', '--field-selector', selector, '-o', path);
    return text.split('\n').filter((line) => line !== '');
  }
}

/** "Running Running": the phase, and why it is Ready or not. */
export function stateOf({ status }: VirtualMachine): string {
  return `${status?.phase ?? 'none'} ${findCondition(status?.conditions, 'Ready')?.reason ?? 'none'}`;
}

export function readyOf({ status }: VirtualMachine): Condition {
  return findCondition(status?.conditions, 'Ready') ?? never('Ready');
}

export function conditionOf({ status }: VirtualMachine, type: string): Condition {
  return findCondition(status?.conditions, type) ?? never(type);
}

function summary(vm: VirtualMachine): string {
  const { lastTermination, usage, addresses } = vm.status ?? {};
  const ready = findCondition(vm.status?.conditions, 'Ready');
  const transitions = vm.status?.transitions?.map(({ type }) => type).join(' → ');
  const more = JSON.stringify({ lastTermination, addresses, cpu: usage?.cpu });
  return `it says ${stateOf(vm)}: ${ready?.message} (${transitions}; ${more})`;
}

function never(what: string): never {
  throw new Error(`${what}: there is none`);
}
