// What the operator counts of VMs. Labels are few and bounded: never an object's name.
import { Gauge, type Registry } from 'prom-client';
import type { MigrationVerdict } from '#crds/v1alpha1/migration-status.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { phases, proofKinds } from '#crds/v1alpha1/virtual-machine-status.ts';
import { counter } from '#runtime/process/metrics.ts';

export interface MachineMetrics {
  /** From now on VMs are counted among these, whenever somebody asks. */
  count(machines: () => readonly VirtualMachine[]): void;
  /** One was let go though its guest may still run. */
  forcedDeletion(): void;
  /** One was started elsewhere, with this proof that its guest was dead. */
  takeover(proof: (typeof proofKinds)[number]): void;
  /** A guest that was to move to another hypervisor has moved, or has not. */
  migrationEnded(result: MigrationVerdict['result']): void;
}

/** Once per registry. */
export function machineMetrics(registry: Registry): MachineMetrics {
  let machines: () => readonly VirtualMachine[] = () => [];
  const forced = counter(registry, 'usher_forced_deletions_total', 'VMs let go though their guests may still run.');
  const takeovers = counter(
    registry,
    'usher_takeovers_total',
    'VMs started elsewhere, by what proved them dead.',
    'proof',
  );
  const help = 'Guests that were to move to another hypervisor, by how that ended.';
  const migrations = counter(registry, 'usher_migrations_total', help, 'result');
  for (const proof of proofKinds) takeovers.inc({ proof }, 0);
  const gauge = new Gauge({
    name: 'usher_virtual_machines',
    help: 'VMs by phase: Lost, Missing, Failed and Stopped are told apart here as everywhere.',
    labelNames: ['phase'],
    registers: [],
    collect() {
      for (const [phase, count] of byPhase(machines())) this.set({ phase }, count);
    },
  });
  registry.registerMetric(gauge);
  return {
    count: (given) => {
      machines = given;
    },
    forcedDeletion: () => forced.inc(),
    takeover: (proof) => takeovers.inc({ proof }),
    migrationEnded: (result) => migrations.inc({ result }),
  };
}

/** All phases, those without a VM too: a count that vanishes is no 0. */
function byPhase(machines: readonly VirtualMachine[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>(phases.map((phase) => [phase, 0]));
  for (const { status } of machines) {
    const phase = status?.phase ?? 'Pending';
    counts.set(phase, (counts.get(phase) ?? 0) + 1);
  }
  return counts;
}
