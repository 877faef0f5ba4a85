import type { KindDefinition } from '#crds/schema/kind.ts';
import type { ObjectMeta } from './fragments.ts';
import type { API_VERSION } from './names.ts';
import { type VirtualMachineSpec, virtualMachineSpecSchema } from './virtual-machine-spec.ts';
import { type VirtualMachineStatus, virtualMachineStatusSchema } from './virtual-machine-status.ts';

export interface VirtualMachine {
  apiVersion: typeof API_VERSION;
  kind: 'VirtualMachine';
  metadata: ObjectMeta & { namespace: string };
  spec: VirtualMachineSpec;
  status?: VirtualMachineStatus;
}

export const virtualMachineKind = {
  kind: 'VirtualMachine',
  plural: 'virtualmachines',
  singular: 'virtualmachine',
  shortNames: ['uvm'],
  scope: 'Namespaced',
  description:
    'A virtual machine. Usher chooses a hypervisor, starts the guest there, keeps it as declared and reports what it sees.',
  spec: virtualMachineSpecSchema,
  status: virtualMachineStatusSchema,
  statusDefault: {
    phase: 'Pending',
    conditions: [
      {
        type: 'Ready',
        status: 'Unknown',
        reason: 'Pending',
        message: 'Waiting for the operator to decide. If this lasts, check that the usher-operator is running.',
        lastTransitionTime: '1970-01-01T00:00:00Z',
      },
    ],
  },
  rules: [
    {
      rule: "self.metadata.name.size() <= 63 && self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
      message:
        'metadata.name must be a DNS label: at most 63 lower-case letters, digits and dashes, with a letter or digit at both ends',
    },
  ],
  columns: [
    { name: 'Phase', type: 'string', jsonPath: '.status.phase', description: 'One word for the observed state.' },
    { name: 'Desired', type: 'string', jsonPath: '.spec.powerState', description: 'The power state asked for.' },
    {
      name: 'Hypervisor',
      type: 'string',
      jsonPath: '.status.placement.hypervisor',
      description: 'Where it runs, or ran last.',
    },
    { name: 'IP', type: 'string', jsonPath: '.status.addresses[0].ip', description: 'The first observed address.' },
    {
      name: 'Ready',
      type: 'string',
      jsonPath: ".status.conditions[?(@.type=='Ready')].status",
      description: 'Whether the observed state is the declared one.',
    },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Since its creation.' },
    {
      name: 'CPUs',
      type: 'integer',
      jsonPath: '.spec.resources.cpus',
      description: 'Virtual CPUs.',
      priority: 1,
    },
    { name: 'Memory', type: 'string', jsonPath: '.spec.resources.memory', description: 'Memory.', priority: 1 },
    {
      name: 'CPU-5m(%)',
      type: 'integer',
      jsonPath: '.status.usage.cpuPercent.fiveMinutes',
      description: 'CPU used over the last five minutes, in percent of all its CPUs.',
      priority: 1,
    },
    {
      name: 'Last-End',
      type: 'string',
      jsonPath: '.status.lastTermination.reason',
      description: 'How the guest ended the last time.',
      priority: 1,
    },
    {
      name: 'Ended-By',
      type: 'string',
      jsonPath: '.status.lastTermination.initiator',
      description: 'Who ended it.',
      priority: 1,
    },
    {
      name: 'Ended',
      type: 'date',
      jsonPath: '.status.lastTermination.time',
      description: 'How long ago that was noticed.',
      priority: 1,
    },
    {
      name: 'Reason',
      type: 'string',
      jsonPath: ".status.conditions[?(@.type=='Ready')].message",
      description: 'Why it is, or is not, ready.',
      priority: 1,
    },
  ],
  selectableFields: [
    '.status.placement.hypervisor',
    '.status.migration.plan.target',
    '.status.phase',
    '.spec.powerState',
  ],
} satisfies KindDefinition;
