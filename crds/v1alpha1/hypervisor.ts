import type { Static } from 'typebox';
import { flag, integer, list, object, optional, quantity, stringEnum, text } from '#crds/schema/builders.ts';
import type { KindDefinition } from '#crds/schema/kind.ts';
import { conditions, type ObjectMeta, subdomain, usageSchema } from './fragments.ts';
import type { API_VERSION } from './names.ts';

const ratio = (description: string) => integer(description, { minimum: 100, maximum: 1600, default: 100 });

const hypervisorSpecSchema = object(
  "How this hypervisor is to be used. Its daemon writes the first version; from then on it is the administrators' to change.",
  {
    nodeName: subdomain('The Kubernetes node that the daemon runs on. It cannot be changed.'),
    driver: stringEnum(
      'How the daemon reaches its guests: libvirt drives QEMU, KVM, Xen or LXC; simulated makes them up, for trials and tests.',
      ['libvirt', 'simulated'],
    ),
    unschedulable: optional(
      flag('Whether the hypervisor is closed for new VMs. Those that run here stay.', { default: false }),
    ),
    overcommit: optional(
      object(
        'How much of the machine may be given to VMs, in percent of what it has. Left out, no more than there is.',
        {
          cpuPercent: ratio('Virtual CPUs in percent of the physical ones: 400 shares each physical CPU among four.'),
          memoryPercent: ratio(
            'Memory of guests in percent of the physical memory: 100 promises no more than there is.',
          ),
        },
      ),
    ),
    scanIntervalSeconds: integer(
      'Seconds between two full comparisons of the guests with what is declared. The hypervisor reports most changes at once; this finds the others.',
      {
        minimum: 5,
        maximum: 3600,
        default: 30,
      },
    ),
  },
);
export interface HypervisorSpec extends Static<typeof hypervisorSpecSchema> {}

const amountSchema = (description: string) =>
  object(description, {
    cpus: integer('CPUs.', { minimum: 0, maximum: 1_000_000 }),
    memory: quantity('Memory.'),
  });

const unmanagedSchema = object('A guest that no VirtualMachine declares. It is reported and never touched.', {
  name: text('Its name on the hypervisor.', { maxLength: 253 }),
  uuid: text('Its identifier on the hypervisor.', { maxLength: 36 }),
  powerState: text('Its state there.', { maxLength: 32 }),
  reason: stringEnum('Foreign: not made by us. Orphaned: bears our marks, but no VirtualMachine declares it here.', [
    'Foreign',
    'Orphaned',
  ]),
});

const hypervisorStatusSchema = object('What the daemon sees, and what the operator says of the daemon.', {
  capacity: optional(amountSchema('What the machine has.')),
  allocatable: optional(
    amountSchema(
      'What may be given to VMs: capacity less what is reserved, times the overcommit, less what unmanaged guests hold.',
    ),
  ),
  freeMemory: optional(quantity('Memory that nobody uses now, rounded.')),
  virtualMachineCount: optional(integer('Managed guests that are defined here.', { minimum: 0, maximum: 1_000_000 })),
  usage: optional(usageSchema),
  capabilities: optional(
    object('What this hypervisor can do.', {
      type: text('Kind of virtualization, for example kvm or qemu.', { maxLength: 32 }),
      version: text('Version of the hypervisor.', { maxLength: 64 }),
      architecture: text('Processor architecture.', { maxLength: 32 }),
      features: list('Optional abilities.', text('One ability.', { maxLength: 64 }), { maxItems: 64 }),
    }),
  ),
  unmanaged: optional(list('Guests that nobody declared, at most 64 of them.', unmanagedSchema, { maxItems: 64 })),
  unmanagedCount: optional(
    integer('How many guests nobody declared, with those that are not listed.', { minimum: 0, maximum: 1_000_000 }),
  ),
  bootID: optional(text('Identifies the current boot of the machine.', { maxLength: 36 })),
  agentVersion: optional(text('Version of the daemon.', { maxLength: 64 })),
  conditions: optional(conditions('Ready, DriverConnected, Schedulable and Accepted.')),
});
export interface HypervisorStatus extends Static<typeof hypervisorStatusSchema> {}

export interface Hypervisor {
  apiVersion: typeof API_VERSION;
  kind: 'Hypervisor';
  metadata: ObjectMeta;
  spec: HypervisorSpec;
  status?: HypervisorStatus;
}

const condition = (type: string) => `.status.conditions[?(@.type=='${type}')].status`;

export const hypervisorKind = {
  kind: 'Hypervisor',
  plural: 'hypervisors',
  singular: 'hypervisor',
  shortNames: ['uhv'],
  scope: 'Cluster',
  description:
    'A machine that runs guests. Its daemon creates it; nothing is placed on it before the operator has accepted it.',
  spec: hypervisorSpecSchema,
  status: hypervisorStatusSchema,
  statusDefault: {
    conditions: [
      {
        type: 'Ready',
        status: 'Unknown',
        reason: 'Pending',
        message: 'Waiting for its daemon to report.',
        lastTransitionTime: '1970-01-01T00:00:00Z',
      },
    ],
  },
  rules: [
    {
      rule: 'self.metadata.name.size() <= 63',
      message: 'metadata.name must have at most 63 characters',
    },
    { rule: 'self.spec.nodeName == oldSelf.spec.nodeName', message: 'spec.nodeName cannot be changed' },
  ],
  columns: [
    { name: 'Driver', type: 'string', jsonPath: '.spec.driver', description: 'How the hypervisor is reached.' },
    { name: 'Ready', type: 'string', jsonPath: condition('Ready'), description: 'Whether it can run guests.' },
    { name: 'VMs', type: 'integer', jsonPath: '.status.virtualMachineCount', description: 'Managed guests.' },
    { name: 'Unmanaged', type: 'integer', jsonPath: '.status.unmanagedCount', description: 'Guests nobody declared.' },
    { name: 'CPUs', type: 'integer', jsonPath: '.status.allocatable.cpus', description: 'CPUs for VMs.' },
    { name: 'Memory', type: 'string', jsonPath: '.status.allocatable.memory', description: 'Memory for VMs.' },
    { name: 'Cordoned', type: 'boolean', jsonPath: '.spec.unschedulable', description: 'Closed for new VMs.' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Since its creation.' },
    { name: 'Free', type: 'string', jsonPath: '.status.freeMemory', description: 'Memory free now.', priority: 1 },
    {
      name: 'CPU-5m',
      type: 'integer',
      jsonPath: '.status.usage.cpu.fiveMinutes',
      description: 'CPU used over five minutes, in thousandths of a CPU.',
      priority: 1,
    },
    {
      name: 'Type',
      type: 'string',
      jsonPath: '.status.capabilities.type',
      description: 'Kind of virtualization.',
      priority: 1,
    },
  ],
  selectableFields: ['.spec.nodeName'],
} satisfies KindDefinition;
