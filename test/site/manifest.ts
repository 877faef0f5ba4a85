// Manifests as a user writes them.
import type { VirtualMachineSpec } from '#crds/v1alpha1/virtual-machine-spec.ts';

export type SpecInput = { readonly [Field in keyof VirtualMachineSpec]?: DeepPartial<VirtualMachineSpec[Field]> };

type DeepPartial<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [Field in keyof T]?: DeepPartial<T[Field]> }
    : T;

export interface Manifest {
  readonly apiVersion: 'usher.dev/v1alpha1';
  readonly kind: 'VirtualMachine';
  readonly metadata: { readonly name: string; readonly namespace: 'default' };
  readonly spec: SpecInput;
}

/** The tiny guest, which `switches` on its kernel's command line make misbehave: see its init.sh. */
export function guest(name: string, spec: SpecInput = {}, switches = ''): Manifest {
  return {
    apiVersion: 'usher.dev/v1alpha1',
    kind: 'VirtualMachine',
    metadata: { name, namespace: 'default' },
    spec: {
      resources: { cpus: 1, memory: '128Mi' },
      boot: {
        kernel: {
          image: 'usher-guest.vmlinuz',
          initrd: 'usher-guest.initrd',
          commandLine: `console=ttyS0 quiet panic=1 ${switches}`.trim(),
        },
      },
      interfaces: [{ name: 'net0', network: 'default' }],
      ...spec,
    },
  };
}

/** The machine to try first. */
export function on(machine: string): SpecInput {
  return { placement: { preferredHypervisors: [machine] } };
}
