// Definitions that the goldens are made of.
import type { DomainDefinition } from '#node-daemon/hypervisor/driver.ts';
import type { BuildContext } from './domain-type.ts';

/** A valid definition; a test states only what differs. */
export function exampleDefinition(changes: Partial<DomainDefinition> = {}): DomainDefinition {
  return {
    uuid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301',
    name: 'shop.web-1',
    cpus: 2,
    memoryBytes: 512 * 1024 * 1024,
    boot: {
      kind: 'Kernel',
      image: 'vmlinuz',
      initrd: 'initrd',
      commandLine: 'console=ttyS0 root=/dev/vda "quoted" <&>',
    },
    disks: [
      { name: 'root', pool: 'default', volume: 'web-1.qcow2', format: 'qcow2', readOnly: false },
      { name: 'data', pool: 'default', volume: 'data.raw', format: 'raw', readOnly: true },
    ],
    interfaces: [{ name: 'eth0', network: 'default', macAddress: '52:54:00:12:34:56' }],
    metadata: {
      uid: '8c7e1f6a-1b7b-4a53-9a2b-0d6b2f1f7a11',
      namespace: 'shop',
      name: 'web-1',
      epoch: 3,
      generation: 7,
      payload: '{"granted":{"cpus":2},"note":"<&> ünïcode"}',
      signature: 'MEUCIQDx3p0=',
    },
    ...changes,
  };
}

const bootFiles = { image: '/var/lib/usher/boot/vmlinuz', initrd: '/var/lib/usher/boot/initrd' };

export const exampleContext = {
  type: 'qemu',
  architecture: 'x86_64',
  bootFiles,
  consoleLog: '/var/log/usher/console/shop.web-1.log',
  defaultShares: 1024,
} as const satisfies BuildContext;

const bootFromRoot = { boot: { kind: 'Disk', disk: 'root' } } as const;
const bootFromCard = { boot: { kind: 'Network', interface: 'eth0' } } as const;

/** By the name of the golden file in testdata, without its ending. */
export const goldens: Readonly<Record<string, readonly [DomainDefinition, BuildContext]>> = {
  'qemu-kernel': [exampleDefinition(), exampleContext],
  'qemu-limits': [exampleDefinition({ limits: { cpuShares: 2048, cpuLimitMillis: 1500 } }), exampleContext],
  'kvm-shares-on-cgroups-2': [
    exampleDefinition({ ...bootFromRoot, limits: { cpuShares: 262_144 } }),
    { ...exampleContext, type: 'kvm', defaultShares: 100 },
  ],
  'qemu-aarch64-disk': [exampleDefinition(bootFromRoot), { ...exampleContext, architecture: 'aarch64' }],
  'kvm-disk': [exampleDefinition(bootFromRoot), { ...exampleContext, type: 'kvm' }],
  'kvm-network': [exampleDefinition(bootFromCard), { ...exampleContext, type: 'kvm' }],
  'xen-kernel': [exampleDefinition(), { ...exampleContext, type: 'xen' }],
  'xen-disk': [exampleDefinition({ boot: { kind: 'Disk', disk: 'data' } }), { ...exampleContext, type: 'xen' }],
  'lxc-disk': [
    exampleDefinition(bootFromRoot),
    {
      type: 'lxc',
      architecture: 'x86_64',
      volumePaths: new Map([
        ['root', '/var/lib/libvirt/images/web-1.qcow2'],
        ['data', '/var/lib/libvirt/images/data.raw'],
      ]),
    },
  ],
  'test-kernel': [exampleDefinition(), { ...exampleContext, type: 'test', architecture: 'i686' }],
};
