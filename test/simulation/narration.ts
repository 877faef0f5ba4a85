// The story as it is told: a line for everything that a user could see change, with who wrote it and why.
import { findCondition } from '#crds/conditions.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { VirtualMachineOperation } from '#crds/v1alpha1/virtual-machine-operation.ts';
import type { AdmissionRequest } from '#runtime/kube/memory/kind-model.ts';

export class Narration {
  readonly #lines: string[] = [];
  readonly #now: () => number;
  /** When the first line was told. */
  #begun: number | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Something that somebody did, or that happened. */
  act(what: string): void {
    this.#line(`* ${what}`);
  }

  /** A warning as `kubectl describe` shows it. */
  warning(vm: string, reason: string, message: string): void {
    this.#line(`  ! ${vm} ${reason}: ${message}`);
  }

  /** A VirtualMachine that is about to be stored, where that can be seen. */
  wrote(vm: VirtualMachine, { user, old, verb }: AdmissionRequest<VirtualMachine>): void {
    if (verb === 'create' || verb === 'delete') return;
    const shown = summary(vm);
    if (old !== undefined && summary(old) === shown) return;
    this.#line(`  ${user} on ${vm.metadata.name}: ${shown}`);
  }

  /** A VirtualMachineOperation that is about to be stored. */
  operationWrote(operation: VirtualMachineOperation, request: AdmissionRequest<VirtualMachineOperation>): void {
    if (request.subresource !== 'status') return;
    const { phase, done = '', summary: targets = '', conditions } = operation.status ?? {};
    const ready = findCondition(conditions, 'Ready');
    this.#line(`  ${request.user} on ${operation.metadata.name}: ${phase} ${done} [${targets}] ${ready?.message}`);
  }

  text(): string {
    return `${this.#lines.join('\n')}\n`;
  }

  #line(text: string): void {
    this.#begun ??= this.#now();
    const seconds = ((this.#now() - this.#begun) / 1000).toFixed(1);
    this.#lines.push(`${seconds.padStart(8)} s ${text}`);
  }
}

/** Phase, permission, what the daemon says, and the reason and message of Ready. */
function summary({ metadata, status }: VirtualMachine): string {
  if (metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).length === 0) return 'gone';
  const { placement, instance, phase } = status ?? {};
  const ready = findCondition(status?.conditions, 'Ready');
  const where = placement === undefined ? '' : ` [${placement.hypervisor} epoch ${placement.epoch}]`;
  const report = instance === undefined ? '' : ` (reported ${instance.powerState}, epoch ${instance.epoch})`;
  return `${phase}${where}${report} Ready=${ready?.status} ${ready?.reason}: ${ready?.message}`;
}
