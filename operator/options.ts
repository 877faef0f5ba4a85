// What the operator can be told.
import type { OptionTable } from '#runtime/process/option-table.ts';
import { commonOptions } from '#runtime/process/program.ts';
import { AUTOMATIC, acceptanceFault } from './hypervisor/acceptance.ts';

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
  identity: {
    type: 'string',
    description:
      'Unique name of this operator among those that run, for leader election. Left out, host name and a random part.',
    optional: true,
  },
} as const satisfies OptionTable;
