import type { Static } from 'typebox';
import {
  cpuQuantity,
  flag,
  integer,
  listMap,
  object,
  optional,
  quantity,
  setOf,
  stringEnum,
  stringMap,
  text,
  timestamp,
} from '#crds/schema/builders.ts';
import type { CelRule } from '#crds/schema/cel-rule.ts';
import type { Form } from '#crds/schema/form.ts';
import { DNS_LABEL, dnsLabel, labelSelector, subdomain } from './fragments.ts';

export const powerStates = ['Running', 'Paused', 'Hibernated', 'Stopped'] as const;

const SMALLEST = '1Mi';
const LARGEST = '64Ti';
const LEAST_LIMIT = '10m';

/** As CEL compares it; true where one of them is no quantity, which another rule says. */
function atMost(field: string, most: string): string {
  const [value, bound] = [`string(self.${field})`, most.startsWith("'") ? most : `string(self.${most})`];
  return `!isQuantity(${value}) || !isQuantity(${bound}) || quantity(${value}).compareTo(quantity(${bound})) <= 0`;
}

/** Of CPU time. Not as text: of a number turned into text CEL does not know how long it may be, and takes it for endless. */
function atMostCpus(field: string): string {
  const value = `string(self.${field})`;
  return `!isQuantity(${value}) || quantity(${value}).asApproximateFloat() <= double(self.cpus)`;
}

function atLeast(field: string, least: string): string {
  const value = `string(self.${field})`;
  return `!isQuantity(${value}) || quantity(${value}).compareTo(quantity('${least}')) >= 0`;
}

const resourceRules: CelRule[] = [
  {
    rule: `(${atLeast('memory', SMALLEST)}) && (${atMost('memory', `'${LARGEST}'`)})`,
    message: `must be from ${SMALLEST} to ${LARGEST}, for example 512Mi or 4Gi; a number without a unit means bytes`,
    fieldPath: '.memory',
  },
  {
    rule: `!has(self.cpuReservation) || ${atMostCpus('cpuReservation')}`,
    message: 'must be no more than cpus: no guest can use more CPU time than it has CPUs',
    fieldPath: '.cpuReservation',
  },
  {
    rule: `!has(self.cpuLimit) || (${atLeast('cpuLimit', LEAST_LIMIT)}) && (${atMostCpus('cpuLimit')})`,
    message: `must be from ${LEAST_LIMIT} to cpus: no guest can use more CPU time than it has CPUs`,
    fieldPath: '.cpuLimit',
  },
  {
    rule: `!has(self.cpuReservation) || !has(self.cpuLimit) || ${atMost('cpuReservation', 'cpuLimit')}`,
    message: 'must be no more than cpuLimit',
    fieldPath: '.cpuReservation',
  },
  {
    rule: `!has(self.memoryMinimum) || ${atMost('memoryMinimum', 'memory')}`,
    message: 'must be no more than memory',
    fieldPath: '.memoryMinimum',
  },
];

function resources(description: string) {
  return object(
    description,
    {
      cpus: integer('Number of virtual CPUs.', { minimum: 1, maximum: 512 }),
      memory: quantity(`Memory of the guest, for example 512Mi or 4Gi. From ${SMALLEST} to ${LARGEST}.`),
      cpuShares: optional(
        integer(
          'Weight of the guest when CPUs are short, beside 1024 of a guest that says nothing: 2048 gets twice as much. Changed while it runs.',
          { minimum: 2, maximum: 262_144 },
        ),
      ),
      cpuReservation: optional(
        cpuQuantity(
          'CPU time that it gets whatever others want, for example 500m or 2. All reservations on a machine together are no more than its physical CPUs, however overcommitted. Changed while it runs.',
        ),
      ),
      cpuLimit: optional(
        cpuQuantity(
          `CPU time that all its CPUs together never exceed, for example 500m or 2, and at least ${LEAST_LIMIT}. Changed while it runs.`,
        ),
      ),
      memoryMinimum: optional(
        quantity(
          'Memory that stays its own, for example 1Gi. The minimums of all guests on a machine together are no more than its physical memory, however overcommitted.',
        ),
      ),
    },
    { rules: resourceRules },
  );
}

export const resourcesSchema = resources('CPUs and memory.');
export interface Resources extends Static<typeof resourcesSchema> {}

function fileName(example: string): Form {
  const letters = 'letters, digits, dots, dashes and underscores, with a letter or digit first';
  return {
    pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
    message: `must be a name and not a path: ${letters}, for example ${example}`,
  };
}

/** A file in the hypervisor's boot directory: a name, never a path, so that no manifest can reach another file. */
function bootFile(description: string) {
  return text(description, { maxLength: 128, form: fileName('vmlinuz-6.1') });
}

const bootSchema = object(
  'What the guest boots from: exactly one of kernel, disk and network.',
  {
    kernel: optional(
      object('A Linux kernel that the hypervisor loads itself: no boot loader, no boot disk.', {
        image: bootFile('File name, not a path, of the kernel in the boot directory of the hypervisor.'),
        initrd: optional(bootFile('File name, not a path, of the initial RAM disk in the same directory.')),
        commandLine: optional(
          text('What the kernel is told, for example console=ttyS0 root=/dev/vda1. Printable ASCII characters only.', {
            maxLength: 2048,
            form: {
              pattern: '^[ -~]*$',
              message: 'must be one line of printable ASCII characters, for example console=ttyS0 root=/dev/vda1',
            },
          }),
        ),
      }),
    ),
    disk: optional(
      object('The boot loader on one of the disks of this VM.', { name: dnsLabel('Name of the entry in spec.disks.') }),
    ),
    network: optional(
      object('PXE over one of the interfaces of this VM.', {
        interface: dnsLabel('Name of the entry in spec.interfaces.'),
      }),
    ),
  },
  {
    rules: [
      {
        rule: '(has(self.kernel) ? 1 : 0) + (has(self.disk) ? 1 : 0) + (has(self.network) ? 1 : 0) == 1',
        message: 'set exactly one of kernel, disk and network',
      },
    ],
  },
);

const diskSchema = object(
  'Each is a volume that the hypervisor already has: Usher attaches it, and neither makes nor deletes it.',
  {
    name: dnsLabel('Name of the disk within this VM.'),
    pool: dnsLabel('Storage pool of the hypervisor, for example default.'),
    volume: text('Name of the volume in that pool, for example web-1.qcow2.', {
      maxLength: 128,
      form: fileName('web-1.qcow2'),
    }),
    format: stringEnum('Format of the volume. It is never guessed from the contents, which a guest can write.', [
      'raw',
      'qcow2',
    ]),
    readOnly: optional(flag('Whether the guest may only read the disk.', { default: false })),
  },
);

const interfaceSchema = object('Each is plugged into a network that the hypervisor already has.', {
  name: dnsLabel('Name of the interface within this VM.'),
  network: dnsLabel('Name of that network, for example default.'),
  macAddress: optional(
    text(
      'Hardware address in lower case, unicast, for example 52:54:00:12:34:56. Left out, it is derived from the uuid of the guest.',
      {
        maxLength: 17,
        form: {
          pattern: '^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$',
          message:
            'must be six pairs of lower-case hexadecimal digits with colons between, the first pair an even number, for example 52:54:00:12:34:56',
        },
      },
    ),
  ),
});

const placementSchema = object('Where the VM may run. Left out, any hypervisor with room will do.', {
  preferredHypervisors: optional(
    setOf(
      'Names of the Hypervisors to try first. A suggestion: policies and capacity may decide otherwise.',
      subdomain('Name of a Hypervisor.'),
      {
        maxItems: 32,
      },
    ),
  ),
  requiredHypervisorSelector: optional(labelSelector('The VM runs only on Hypervisors with these labels.')),
});

const powerOffSchema = object(
  'How the guest is stopped, when its power state becomes Stopped and when the VM is deleted.',
  {
    mode: stringEnum(
      'Graceful asks the guest to shut down and waits for as long as it takes; GracefulThenForce pulls the plug after the grace period; Force pulls it at once.',
      ['Graceful', 'GracefulThenForce', 'Force'],
      { default: 'GracefulThenForce' },
    ),
    gracePeriodSeconds: integer('Seconds the guest has to shut down before GracefulThenForce pulls the plug.', {
      minimum: 0,
      maximum: 3600,
      default: 60,
    }),
  },
  { default: {} },
);

const recoverySchema = object(
  'What Usher does of its own accord when the guest, or its hypervisor, is gone. By default nothing.',
  {
    onLost: stringEnum(
      'When the hypervisor has fallen silent and the guest may be running there: Hold reports it and waits, Restart starts it on another hypervisor, but only once there is proof that the guest is dead: the guard of its machine has stopped it, or the machine was fenced. With Restart the guard of a machine that is cut off stops the guest.',
      ['Hold', 'Restart'],
      { default: 'Hold' },
    ),
    lostTimeoutSeconds: integer('Seconds for which the hypervisor must have been silent before Restart begins.', {
      minimum: 0,
      maximum: 86_400,
      default: 300,
    }),
    onMissing: stringEnum(
      'When the hypervisor answers but the guest has vanished though Usher did not remove it: Hold reports it and waits for you, Recreate starts it again there.',
      ['Hold', 'Recreate'],
      { default: 'Hold' },
    ),
  },
  { default: {} },
);

export const virtualMachineSpecSchema = object(
  'The machine you want. Usher writes nothing here but powerState, and that only for a VirtualMachineOperation: what was decided, and what is seen, stands in status.',
  {
    powerState: stringEnum(
      'Whether the guest shall run. Paused lets it stand still with its memory and its place: nothing of it is lost. Hibernated writes its memory to the disk of its hypervisor, where it goes on from there, and holds neither CPUs nor memory meanwhile. Stopped shuts it down as powerOff says and keeps everything else.',
      powerStates,
      { default: 'Running' },
    ),
    resources: resources(
      'CPUs and memory of the guest, and what of them is guaranteed. Another number of CPUs or size of memory waits for its next start: see status.pendingChanges.',
    ),
    boot: bootSchema,
    disks: optional(listMap('Disks, in the order in which the guest sees them.', 'name', diskSchema, { maxItems: 16 })),
    interfaces: optional(
      listMap('Network cards, in the order in which the guest sees them.', 'name', interfaceSchema, { maxItems: 8 }),
    ),
    placement: optional(placementSchema),
    powerOff: powerOffSchema,
    restartPolicy: stringEnum(
      'What follows when the guest ends by itself: Always starts it again, OnFailure starts it again only after a crash, Never leaves it off.',
      ['Always', 'OnFailure', 'Never'],
      { default: 'OnFailure' },
    ),
    recovery: recoverySchema,
    deletionPolicy: optional(
      stringEnum(
        'What becomes of the guest when the VM is deleted: PowerOff, which is meant where nothing is said, stops it as powerOff says and removes it; Release lets go of it, and it runs on, unmanaged.',
        ['PowerOff', 'Release'],
      ),
    ),
    deletionProtection: optional(
      flag(
        'Whether a deletion of this VM is refused, alone or with its namespace. Whoever may change the VM may lift the protection, and then delete it.',
      ),
    ),
    expirationTime: optional(
      timestamp(
        'Until when the VM may run, for example 2030-01-31T18:00:00Z. An hour before, the condition Expired and an event warn; then the guest is stopped as powerOff says. Left out, there is no end.',
      ),
    ),
    parameters: optional(
      stringMap('Keys and values of your own that reach every policy, for example class: batch. Keys are DNS labels.', {
        maxProperties: 32,
        maxLength: 256,
        rules: [
          {
            rule: `self.all(key, key.size() <= 63 && key.matches('${DNS_LABEL}'))`,
            message: 'every key must be a lower-case DNS label of at most 63 characters',
          },
        ],
      }),
    ),
  },
  {
    rules: [
      {
        rule: '!has(self.boot.disk) || (has(self.disks) && self.disks.exists(disk, disk.name == self.boot.disk.name))',
        message: 'boot.disk.name must be the name of an entry in disks',
      },
      {
        rule: '!has(self.disks) || self.disks.all(one, self.disks.exists_one(other, other.pool == one.pool && other.volume == one.volume))',
        message: 'every entry in disks needs a volume of its own: a guest that has one twice destroys it',
      },
      {
        rule: '!has(self.boot.network) || (has(self.interfaces) && self.interfaces.exists(card, card.name == self.boot.network.interface))',
        message: 'boot.network.interface must be the name of an entry in interfaces',
      },
    ],
  },
);
export interface VirtualMachineSpec extends Static<typeof virtualMachineSpecSchema> {}
