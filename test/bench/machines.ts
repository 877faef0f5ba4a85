// The VirtualMachines of the benchmark: what a user would write, with all defaults spelled out.
import { virtualMachineResource } from '#crds/v1alpha1/kinds.ts';
import { API_VERSION } from '#crds/v1alpha1/names.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { VirtualMachineSpec } from '#crds/v1alpha1/virtual-machine-spec.ts';
import type { KubeStore, NewObject } from '#runtime/kube/store.ts';

export const NAMESPACE = 'default';

const SPEC: VirtualMachineSpec = {
  powerState: 'Running',
  resources: { cpus: 1, memory: '1Gi' },
  boot: { kernel: { image: 'vmlinuz', initrd: 'initrd', commandLine: 'console=ttyS0 quiet' } },
  interfaces: [{ name: 'net0', network: 'default' }],
  powerOff: { mode: 'GracefulThenForce', gracePeriodSeconds: 60 },
  restartPolicy: 'OnFailure',
  recovery: { onLost: 'Hold', lostTimeoutSeconds: 300, onMissing: 'Hold' },
};

export function machine(name: string, changes: Partial<VirtualMachineSpec> = {}): NewObject<VirtualMachine> {
  return {
    apiVersion: API_VERSION,
    kind: 'VirtualMachine',
    metadata: { name, namespace: NAMESPACE },
    spec: { ...SPEC, ...changes },
  };
}

export function namesOf(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index + 1}`);
}

/** As fast as it goes, so many requests at a time. */
const AT_A_TIME = 16;

export async function createAtOnce(user: KubeStore, names: readonly string[]): Promise<void> {
  await atATime(names, async (name) => user.create(virtualMachineResource, machine(name)));
}

export async function removeAtOnce(user: KubeStore, names: readonly string[]): Promise<void> {
  await atATime(names, async (name) => user.delete(virtualMachineResource, { namespace: NAMESPACE, name }));
}

/** Does it for each, `AT_A_TIME` side by side. */
export async function atATime<T>(items: readonly T[], act: (item: T) => Promise<unknown>): Promise<void> {
  const left = items.values();
  const work = async () => {
    for (const item of left) await act(item);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
}
