import type { Static } from 'typebox';
import {
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
} from '#crds/schema/builders.ts';
import { DNS_LABEL, dnsLabel, labelSelectorSchema, subdomain } from './fragments.ts';

export const powerStates = ['Running', 'Stopped'] as const;
export type PowerState = (typeof powerStates)[number];

export const resourcesSchema = object(
  'What the guest is given.',
  {
    cpus: integer('Number of virtual CPUs.', { minimum: 1, maximum: 512 }),
    memory: quantity('Memory of the guest, for example 512Mi or 4Gi; at least 1Mi.'),
  },
  {
    rules: [
      {
        rule: "quantity(string(self.memory)).compareTo(quantity('1Mi')) >= 0",
        message: 'memory must be at least 1Mi: give a quantity such as 512Mi',
      },
    ],
  },
);
export interface Resources extends Static<typeof resourcesSchema> {}

/** A file in the hypervisor's boot directory: a name, never a path, so that no manifest can reach another file. */
function bootFile(description: string) {
  return text(description, { maxLength: 128, minLength: 1, pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$' });
}

const bootSchema = object(
  'What the guest boots from. Exactly one of the fields is set.',
  {
    kernel: optional(
      object('A Linux kernel loaded directly by the hypervisor.', {
        image: bootFile('File name of the kernel in the boot directory of the hypervisor.'),
        initrd: optional(bootFile('File name of the initial RAM disk in the boot directory of the hypervisor.')),
        commandLine: optional(
          text('Kernel command line, printable characters only.', { maxLength: 2048, pattern: '^[ -~]*$' }),
        ),
      }),
    ),
    disk: optional(object('A disk of this VM.', { name: dnsLabel('Name of the entry in `spec.disks`.') })),
    network: optional(
      object('PXE over an interface of this VM.', { interface: dnsLabel('Name of the entry in `spec.interfaces`.') }),
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

const diskSchema = object('A volume that the hypervisor already has.', {
  name: dnsLabel('Name of the disk within this VM.'),
  pool: dnsLabel('Storage pool of the hypervisor.'),
  volume: text('Volume in that pool.', { maxLength: 128, minLength: 1, pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$' }),
  format: stringEnum('Format of the volume. It is never guessed from the contents, which a guest can write.', [
    'raw',
    'qcow2',
  ]),
  readOnly: optional(flag('Whether the guest may only read it.', { default: false })),
});

const interfaceSchema = object('A network card.', {
  name: dnsLabel('Name of the interface within this VM.'),
  network: dnsLabel('Network of the hypervisor that the card is plugged into, for example default.'),
  macAddress: optional(
    text('Hardware address, lower case, unicast. Left out, it is derived from the uid of the VM.', {
      maxLength: 17,
      minLength: 17,
      pattern: '^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$',
    }),
  ),
});

const placementSchema = object('Where the VM may run.', {
  preferredHypervisors: optional(
    setOf(
      'Hypervisors to try first. A suggestion: policy and capacity may decide otherwise.',
      subdomain('A Hypervisor.'),
      {
        maxItems: 32,
      },
    ),
  ),
  requiredHypervisorSelector: optional(labelSelectorSchema),
});

const powerOffSchema = object(
  'How the guest is stopped.',
  {
    mode: stringEnum(
      'Graceful asks the guest and waits for ever; GracefulThenForce pulls the plug after the grace period; Force pulls it at once.',
      ['Graceful', 'GracefulThenForce', 'Force'],
      { default: 'GracefulThenForce' },
    ),
    gracePeriodSeconds: integer('How long the guest has to shut down before the plug is pulled.', {
      minimum: 0,
      maximum: 3600,
      default: 60,
    }),
  },
  { default: {} },
);

const recoverySchema = object(
  'What is done, unasked, when the guest is gone. Nothing, by default.',
  {
    onMissing: stringEnum(
      'The hypervisor answers but the guest vanished without our doing: Hold leaves it so, Recreate starts it again there.',
      ['Hold', 'Recreate'],
      { default: 'Hold' },
    ),
  },
  { default: {} },
);

export const virtualMachineSpecSchema = object(
  'What the user wants. The operator never writes here.',
  {
    powerState: stringEnum('Whether the guest runs.', powerStates, { default: 'Running' }),
    resources: resourcesSchema,
    boot: bootSchema,
    disks: optional(listMap('Disks, in the order the guest sees them.', 'name', diskSchema, { maxItems: 16 })),
    interfaces: optional(
      listMap('Network cards, in the order the guest sees them.', 'name', interfaceSchema, { maxItems: 8 }),
    ),
    placement: optional(placementSchema),
    powerOff: powerOffSchema,
    restartPolicy: stringEnum(
      'What follows when the guest ends by itself: Always starts it again, OnFailure only after a crash, Never not at all.',
      ['Always', 'OnFailure', 'Never'],
      { default: 'OnFailure' },
    ),
    recovery: recoverySchema,
    parameters: optional(
      stringMap('Free values that reach every policy, for example class or operating system.', {
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
        rule: '!has(self.boot.network) || (has(self.interfaces) && self.interfaces.exists(card, card.name == self.boot.network.interface))',
        message: 'boot.network.interface must be the name of an entry in interfaces',
      },
    ],
  },
);
export interface VirtualMachineSpec extends Static<typeof virtualMachineSpecSchema> {}
