import type { Static } from 'typebox';
import { flag, integer, list, object, optional, quantity, setOf, stringEnum, text } from '#crds/schema/builders.ts';
import type { KindDefinition } from '#crds/schema/kind.ts';
import { conditions, dnsLabel, type ObjectMeta, subdomain, usageSchema } from './fragments.ts';
import { limits } from './limits.ts';
import { migrationAddress } from './migration-status.ts';
import type { API_VERSION } from './names.ts';

const ratio = (description: string) => integer(description, { minimum: 100, maximum: 1600, default: 100 });

const adoptionSchema = object(
  'What becomes of guests that no VirtualMachine declares. Left out, they are reported.',
  {
    mode: stringEnum(
      'Off: they are counted and listed in status.unmanaged. Report: each has a DomainReport as well, and operations of type Adopt may take it. Adopt: those that fit nameSuffix or nameRegex are adopted by themselves, too.',
      ['Off', 'Report', 'Adopt'],
      { default: 'Report' },
    ),
    nameSuffix: optional(
      text(
        'Domains whose name ends with this are adopted, under the name without it: .usher makes web of web.usher. Operations leave it out of the name as well.',
        {
          minLength: 1,
          maxLength: 63,
          form: {
            pattern: '^[A-Za-z0-9._-]+$',
            message: 'must be letters, digits, dots, dashes and underscores, for example .usher',
          },
        },
      ),
    ),
    nameRegex: optional(
      text('Domains whose whole name matches this are adopted: a regular expression of the RE2 syntax, as in sets.', {
        minLength: 1,
        maxLength: 256,
      }),
    ),
    namespace: optional(dnsLabel('The namespace in which their VirtualMachines are made. It must exist.')),
  },
  {
    rules: [
      {
        rule: "self.mode != 'Adopt' || has(self.namespace) && (has(self.nameSuffix) || has(self.nameRegex))",
        message: 'mode Adopt needs namespace, and nameSuffix or nameRegex: which domains are meant, and where to',
      },
    ],
  },
);

const hypervisorSpecSchema = object(
  "How this hypervisor is to be used. Its daemon writes the first version; from then on it is the administrators' to change.",
  {
    nodeName: subdomain('The Kubernetes node that the daemon runs on. It cannot be changed.'),
    driver: stringEnum(
      'How the daemon reaches its guests: libvirt drives QEMU, KVM, Xen or LXC; simulated makes them up, for trials and tests.',
      ['libvirt', 'simulated'],
    ),
    accepted: optional(
      flag(
        'Whether the machine may be used, as an administrator says. Left out, the operator decides when it joins (--hypervisor-acceptance), and stays with that.',
      ),
    ),
    unschedulable: optional(
      flag('Whether the hypervisor is closed for new VMs. Those that run here stay.', { default: false }),
    ),
    maintenance: optional(
      flag(
        'Whether the hypervisor is to be emptied: closed for new VMs, and those that can move to another hypervisor while they run do so. No guest is stopped.',
        { default: false },
      ),
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
    adoption: optional(adoptionSchema),
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
    memory: quantity('Memory, in Gi, rounded down.'),
  });

const unmanagedSchema = object(
  'A guest that no VirtualMachine declares. It is reported and not touched, unless it is adopted.',
  {
    name: text('Its name on the hypervisor.', { maxLength: limits.unmanagedName }),
    uuid: text('Its identifier on the hypervisor.', { maxLength: 36 }),
    powerState: text('Its state there.', { maxLength: 32 }),
    reason: stringEnum(
      'Foreign: not made by Usher. Orphaned: bears its marks, but no VirtualMachine declares it here.',
      ['Foreign', 'Orphaned'],
    ),
  },
);

const hypervisorStatusSchema = object('What the daemon sees, and what the operator says of the daemon.', {
  capacity: optional(amountSchema('What the machine has.')),
  allocatable: optional(
    amountSchema(
      'What may be given to VMs: capacity less what is reserved, times the overcommit, less what unmanaged guests hold.',
    ),
  ),
  guaranteeable: optional(
    amountSchema(
      'What VMs may reserve: capacity less what is reserved for the machine, never overcommitted, less the memory of unmanaged guests.',
    ),
  ),
  free: optional(amountSchema('What more VMs may be given: allocatable less what VMs hold that run.')),
  freeMemory: optional(
    quantity('Memory of the machine that nobody uses now, rounded. It is not promised to VMs: see free.'),
  ),
  virtualMachineCount: optional(integer('Managed guests that are defined here.', { minimum: 0, maximum: 1_000_000 })),
  usage: optional(usageSchema),
  capabilities: optional(
    object('What this hypervisor can do.', {
      type: text('Kind of virtualization, for example kvm or qemu.', { maxLength: 32 }),
      version: text('Version of the hypervisor.', { maxLength: limits.version }),
      architecture: text('Processor architecture.', { maxLength: 32 }),
      features: list('Optional abilities.', text('One ability.', { maxLength: 64 }), { maxItems: 64 }),
    }),
  ),
  unmanaged: optional(
    list(`Guests that nobody declared, at most ${limits.unmanaged} of them.`, unmanagedSchema, {
      maxItems: limits.unmanaged,
    }),
  ),
  unmanagedCount: optional(
    integer('How many guests nobody declared, with those that are not listed.', { minimum: 0, maximum: 1_000_000 }),
  ),
  migrationAddress: optional(
    migrationAddress('Where it takes guests in from other hypervisors. Left out, guests cannot move to or from here.'),
  ),
  sharedPools: optional(
    setOf(
      'Storage pools whose volumes the pools of the same name on other hypervisors hold as well.',
      subdomain('Name of a pool.'),
      { maxItems: limits.sharedPools },
    ),
  ),
  bootID: optional(text('Identifies the current boot of the machine.', { maxLength: 36 })),
  controlPlane: optional(
    object('Which control plane the daemon has met. It keeps on its own disk which one it has served before.', {
      uid: text('The uid of the namespace kube-system, which stands for the control plane.', { maxLength: 36 }),
      doubt: optional(
        stringEnum(
          'Why the daemon does nothing to any guest before the hold of the site is over. Foreign: it has served another control plane. WentBack: this one is from a backup older than what it has seen.',
          ['Foreign', 'WentBack'],
        ),
      ),
      answered: optional(
        text('The hold for which it has reported everything that runs here.', { maxLength: limits.hold }),
      ),
      orphans: optional(
        integer('How many guests of Usher it has reported then, each in a DomainReport.', {
          minimum: 0,
          maximum: limits.domainReports,
        }),
      ),
    }),
  ),
  hold: optional(
    object('The hold of the site, as the operator says: nothing is placed before every hypervisor has reported.', {
      id: text('Which hold: its daemon answers it in controlPlane.answered.', { maxLength: limits.hold }),
      state: stringEnum('Held: it lasts. Over: the daemon may believe this control plane.', ['Held', 'Over']),
    }),
  ),
  agentVersion: optional(text('Version of the daemon.', { maxLength: limits.version })),
  conditions: optional(conditions('Ready, DriverConnected, Schedulable, Draining and Accepted.')),
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
    { name: 'Ready', type: 'string', jsonPath: condition('Ready'), description: 'Whether it can run guests.' },
    {
      name: 'Schedulable',
      type: 'string',
      jsonPath: condition('Schedulable'),
      description: 'Whether new VMs are placed on it.',
    },
    { name: 'VMs', type: 'integer', jsonPath: '.status.virtualMachineCount', description: 'Managed guests.' },
    { name: 'Unmanaged', type: 'integer', jsonPath: '.status.unmanagedCount', description: 'Guests nobody declared.' },
    {
      name: 'CPUs',
      type: 'integer',
      jsonPath: '.status.allocatable.cpus',
      description: 'CPUs for VMs, free or taken.',
    },
    { name: 'Free-CPUs', type: 'integer', jsonPath: '.status.free.cpus', description: 'CPUs for more VMs.' },
    {
      name: 'Memory',
      type: 'string',
      jsonPath: '.status.allocatable.memory',
      description: 'Memory for VMs, free or taken.',
    },
    { name: 'Free-Memory', type: 'string', jsonPath: '.status.free.memory', description: 'Memory for more VMs.' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Since its creation.' },
    {
      name: 'Cordoned',
      type: 'boolean',
      jsonPath: '.spec.unschedulable',
      description: 'Closed for new VMs by an administrator.',
      priority: 1,
    },
    {
      name: 'Accepted',
      type: 'string',
      jsonPath: condition('Accepted'),
      description: 'Whether it was allowed to join.',
      priority: 1,
    },
    {
      name: 'Maintenance',
      type: 'boolean',
      jsonPath: '.spec.maintenance',
      description: 'To be emptied by an administrator.',
      priority: 1,
    },
    {
      name: 'CPU-5m(%)',
      type: 'integer',
      jsonPath: '.status.usage.cpuPercent.fiveMinutes',
      description: 'CPU used over the last five minutes, in percent of all its CPUs.',
      priority: 1,
    },
    {
      name: 'Unused-Memory',
      type: 'string',
      jsonPath: '.status.freeMemory',
      description: 'Memory of the machine that nobody uses now, promised to VMs or not.',
      priority: 1,
    },
    {
      name: 'Driver',
      type: 'string',
      jsonPath: '.spec.driver',
      description: 'How the hypervisor is reached.',
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
