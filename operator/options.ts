// What the operator can be told.
import type { OptionTable } from '#runtime/process/option-table.ts';
import { commonOptions } from '#runtime/process/program.ts';
import { AUTOMATIC, acceptanceFault } from './hypervisor/acceptance.ts';
import { DEFAULT_MIGRATION } from './migration/settings.ts';

export const operatorOptions = {
  ...commonOptions,
  silenceTimeoutSeconds: {
    type: 'integer',
    description:
      'Seconds without a renewed Lease, or without an answer of libvirt to its daemon, after which the VMs of a hypervisor are called Lost.',
    default: 40,
    validate: (seconds: number) => (seconds >= 2 ? undefined : 'must be at least 2'),
  },
  mostSilentPercent: {
    type: 'integer',
    description:
      'When more than this share of all hypervisors is silent at once, the fault is taken for one of the network or the site, and no VM is started elsewhere.',
    default: 50,
    validate: (percent: number) => (percent >= 0 && percent <= 100 ? undefined : 'must be from 0 to 100'),
  },
  hypervisorAcceptance: {
    type: 'string',
    description:
      'Which hypervisors may be used as soon as they join: Automatic, all whose daemon may register; Manual, none before an administrator sets spec.accepted; or a set of names, for example kvm{1-20}.example.org, all others as with Manual.',
    default: AUTOMATIC,
    validate: acceptanceFault,
  },
  migrationTimeoutSeconds: {
    type: 'integer',
    description: 'Seconds that moving a guest from one hypervisor to another may take before it is given up.',
    default: DEFAULT_MIGRATION.timeoutSeconds,
    validate: (seconds: number) => (seconds >= 1 && seconds <= 604_800 ? undefined : 'must be 1 to 604800'),
  },
  migrationBandwidth: {
    type: 'integer',
    description: 'MiB a second that each guest sends at most while it moves; 0 for as fast as it goes.',
    default: 0,
    validate: (mebibytes: number) => (mebibytes >= 0 && mebibytes <= 1_000_000 ? undefined : 'must be 0 to 1000000'),
  },
  migrationsAtOnce: {
    type: 'integer',
    description: 'Guests that move at the same time, at most, in the whole site.',
    default: DEFAULT_MIGRATION.atOnce,
    validate: (count: number) => (count >= 1 ? undefined : 'must be at least 1'),
  },
  migrationsPerHypervisor: {
    type: 'integer',
    description: 'Guests that move at the same time, at most, from one hypervisor or to it.',
    default: DEFAULT_MIGRATION.perHypervisor,
    validate: (count: number) => (count >= 1 ? undefined : 'must be at least 1'),
  },
  identity: {
    type: 'string',
    description:
      'Unique name of this operator among those that run, for leader election. Left out, host name and a random part.',
    optional: true,
  },
} as const satisfies OptionTable;
