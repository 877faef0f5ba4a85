// Which hypervisor is behind the connection, and what it can do.
import type { Feature } from '#node-daemon/hypervisor/driver.ts';
import { DriverError } from '#node-daemon/hypervisor/errors.ts';

export type HypervisorKind = 'qemu' | 'test' | 'lxc' | 'xen';

/** `reported` is libvirt's own spelling. Throws `Unsupported` for what this driver has no domain XML for. */
export function kindOf(reported: string): HypervisorKind {
  const kind = reported.toLowerCase();
  if (kind === 'qemu' || kind === 'test' || kind === 'lxc' || kind === 'xen') {
    return kind;
  }
  throw new DriverError(
    'Unsupported',
    `libvirt drives ${reported} here; only QEMU, Xen, LXC and its test driver are known`,
  );
}

/** What no guest was ever seen to do with this driver is not promised: Xen and LXC may be able to do more. */
const FEATURES: Readonly<Record<HypervisorKind, readonly Feature[]>> = {
  qemu: [
    'GracefulShutdown',
    'Reboot',
    'Pause',
    'StartPaused',
    'Hibernate',
    'Events',
    'CpuUsage',
    'MemoryUsage',
    'NetworkUsage',
    'DiskUsage',
    'Addresses',
  ],
  test: ['GracefulShutdown', 'Reboot', 'Pause', 'Hibernate', 'Events', 'Addresses'],
  lxc: ['GracefulShutdown', 'Events'],
  xen: ['GracefulShutdown', 'Events'],
};

/** What QEMU guests can do only where the machine was set up for it. */
export interface Provisions {
  readonly logsConsoles: boolean;
  readonly migrates: boolean;
}

export function featuresOf(kind: HypervisorKind, { logsConsoles, migrates }: Provisions): ReadonlySet<Feature> {
  const provided: Feature[] = [
    ...(logsConsoles ? (['SerialLog'] as const) : []),
    ...(migrates ? (['LiveMigration'] as const) : []),
  ];
  return new Set<Feature>([...FEATURES[kind], ...(kind === 'qemu' ? provided : [])]);
}
