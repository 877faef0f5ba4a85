// What the operator can be told.
import type { OptionTable } from '#runtime/option-table.ts';
import { commonOptions } from '#runtime/program.ts';

export const operatorOptions = {
  ...commonOptions,
  silenceTimeoutSeconds: {
    type: 'integer',
    description: 'A hypervisor whose daemon was not heard for so long is silent, and its VMs are Lost.',
    default: 40,
    validate: (seconds: number) => (seconds >= 2 ? undefined : 'must be at least 2'),
  },
  identity: {
    type: 'string',
    description:
      'Unique name of this operator among those that run, for leader election. Left out, host name and a random part.',
    optional: true,
  },
} as const satisfies OptionTable;
