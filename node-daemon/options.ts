// What the daemon of one hypervisor machine can be told.
import { hostname } from 'node:os';
import { parseQuantity } from '#crds/quantity.ts';
import { limits } from '#crds/v1alpha1/limits.ts';
import type { OptionTable } from '#runtime/process/option-table.ts';
import { commonOptions } from '#runtime/process/program.ts';
import { migrationAddressFault } from './hypervisor/migration-address.ts';

const NODE_NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;
const LABEL = /^([a-z0-9.-]+\/)?[A-Za-z0-9][A-Za-z0-9_.-]*=[A-Za-z0-9_.-]*$/;

function quantityFault(text: string): string | undefined {
  try {
    parseQuantity(text);
    return undefined;
  } catch {
    return 'must be a quantity such as 512Mi';
  }
}

/** Heartbeats carry it as a label, which is shorter than a name may be. */
function nodeNameFault(name: string): string | undefined {
  if (NODE_NAME.test(name) && name.length <= 63) return undefined;
  return 'must be the name of a Node: lower-case letters, digits, dashes and dots, at most 63 characters';
}

function poolsFault(text: string): string | undefined {
  const pools = pairsIn(text);
  const fits = pools.length <= limits.sharedPools && pools.every((pool) => NODE_NAME.test(pool) && pool.length <= 253);
  return fits ? undefined : `must be at most ${limits.sharedPools} names of storage pools joined by commas`;
}

function labelsFault(text: string): string | undefined {
  return pairsIn(text).every((pair) => LABEL.test(pair)) ? undefined : 'must be label=value pairs joined by commas';
}

function pairsIn(text: string): string[] {
  return text.split(',').filter((pair) => pair !== '');
}

export const nodeDaemonOptions = {
  ...commonOptions,
  nodeName: {
    type: 'string',
    description:
      'The node this daemon runs on: the name of its Hypervisor, and the node its token is bound to. No other machine may have it.',
    default: hostname(),
    env: 'NODE_NAME',
    validate: nodeNameFault,
  },
  driver: {
    type: 'choice',
    choices: ['libvirt', 'simulated'],
    description: 'How the hypervisor is reached; simulated runs no guests at all.',
    default: 'libvirt',
  },
  libvirtSocket: {
    type: 'string',
    description: "libvirt's read-write socket. Whoever may write to it is root on the machine.",
    default: '/run/libvirt/libvirt-sock',
  },
  libvirtUri: { type: 'string', description: 'The libvirt connection.', default: 'qemu:///system' },
  virtualization: {
    type: 'choice',
    choices: ['auto', 'kvm', 'qemu'],
    description:
      'What QEMU guests run on: kvm, or qemu for emulation. auto tries KVM with a tiny guest, up to 8 seconds.',
    default: 'auto',
  },
  bootDirectory: {
    type: 'string',
    description: 'Kernels and initial RAM disks, under the same path for this daemon and for libvirt.',
    default: '/var/lib/usher/boot',
  },
  consoleDirectory: {
    type: 'string',
    description: 'An existing directory for the logs of serial consoles. Left out, they are not logged.',
    optional: true,
  },
  migrationAddress: {
    type: 'string',
    description:
      'Where the libvirt of other hypervisors reaches this one, as qemu+tls://<host>/system. Left out, guests cannot move to or from here.',
    optional: true,
    validate: migrationAddressFault,
  },
  sharedPools: {
    type: 'string',
    description:
      'Names of storage pools that are the same storage on all hypervisors that have a pool of that name, as a,b. Guests with disks in others cannot move.',
    default: '',
    validate: poolsFault,
  },
  stateDirectory: {
    type: 'string',
    description:
      'Where this daemon keeps which control plane it has served, over its own restarts and reboots: a directory of this machine, and of this daemon alone.',
    default: '/var/lib/usher/state',
  },
  labels: {
    type: 'string',
    description: 'Labels for the Hypervisor when it is first registered, as a=b,c=d.',
    default: '',
    validate: labelsFault,
  },
  reservedCpus: {
    type: 'integer',
    description: 'CPUs kept back for the machine itself.',
    default: 0,
    validate: (cpus: number) => (cpus >= 0 ? undefined : 'must not be negative'),
  },
  reservedMemory: {
    type: 'string',
    description: 'Memory kept back for the machine itself.',
    default: '512Mi',
    validate: quantityFault,
  },
  heartbeatIntervalSeconds: {
    type: 'integer',
    description: 'Between two renewals of the Lease that says this daemon is alive.',
    default: 10,
    validate: (seconds: number) => (seconds >= 1 ? undefined : 'must be at least 1'),
  },
  guardDirectory: {
    type: 'string',
    description:
      'Where usher-guard of this machine stands by, the same directory as it was given, for example /run/usher-guard. Left out, no guest is guarded.',
    optional: true,
  },
  guardDeadlineSeconds: {
    type: 'integer',
    description:
      'How long after the last renewal of the Lease the guard begins to stop guests that may be started elsewhere: also when the API server is away for so long. At least the four heartbeats for which the Lease is good.',
    default: 240,
    validate: (seconds: number) => (seconds >= 1 && seconds <= 86_400 ? undefined : 'must be from 1 to 86400'),
  },
} as const satisfies OptionTable;

/** "a,b" as a list; the text is known to be well-formed. */
export function parsePools(text: string): string[] {
  return pairsIn(text);
}

/** "a=b,c=d" as a record; the text is known to be well-formed. */
export function parseLabels(text: string): Record<string, string> {
  return Object.fromEntries(
    pairsIn(text).map((pair) => {
      const [label = '', value = ''] = pair.split('=');
      return [label, value];
    }),
  );
}
