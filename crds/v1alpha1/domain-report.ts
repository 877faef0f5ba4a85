import type { Static } from 'typebox';
import { flag, integer, list, object, optional, quantity, stringEnum, text, timestamp } from '#crds/schema/builders.ts';
import type { KindDefinition } from '#crds/schema/kind.ts';
import { type ObjectMeta, subdomain } from './fragments.ts';
import { limits } from './limits.ts';
import type { API_VERSION } from './names.ts';

const uuid = (description: string) =>
  text(description, {
    maxLength: 36,
    form: {
      pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
      message: 'must be a uuid in lower case, for example 7b1de6a2-8f5e-4d7c-8a1b-1f2e3d4c5b6a',
    },
  });

const domainReportSpecSchema = object('Which domain on which node. It cannot be changed.', {
  nodeName: subdomain('The node whose daemon reports: the name of its Hypervisor.', { maxLength: 63 }),
  uuid: uuid("The hypervisor's identifier of the domain."),
});

const reportedPowerStates = [
  'Running',
  'Paused',
  'ShuttingDown',
  'ShutOff',
  'Crashed',
  'Saving',
  'Incoming',
  'Outgoing',
  'Unknown',
] as const;

const reportedDomainSchema = object('The domain as its daemon sees it.', {
  name: text('Its name on the hypervisor.', { maxLength: limits.unmanagedName }),
  reason: stringEnum('Foreign: not made by Usher. Orphaned: bears its marks, but no VirtualMachine declares it here.', [
    'Foreign',
    'Orphaned',
  ]),
  powerState: stringEnum('Its state there.', reportedPowerStates),
  cpus: integer('CPUs that it has.', { minimum: 0, maximum: 1_000_000 }),
  memory: quantity('Memory that it has.'),
  bootID: text('The boot of the machine in which this was seen.', { maxLength: 36 }),
  released: optional(flag('Usher has managed it, and let go of it: only an operation of type Adopt takes it again.')),
});

const shortText = (description: string) => text(description, { maxLength: limits.foundText });

const foundSchema = object(
  'What a VirtualMachine would say of the domain, as it was read from it. For foreign ones only.',
  {
    boot: object('What it boots from.', {
      disk: optional(shortText('One of its disks.')),
      interface: optional(shortText('One of its network cards.')),
      image: optional(shortText('A kernel in the boot directory.')),
      initrd: optional(shortText('With this initial RAM disk.')),
      commandLine: optional(text('With this command line.', { maxLength: 2048 })),
    }),
    disks: list(
      'Its disks.',
      object('A volume.', {
        name: shortText('As the guest knows it.'),
        pool: shortText('Its storage pool.'),
        volume: shortText('Its name in that pool.'),
        format: stringEnum('Its format.', ['raw', 'qcow2']),
        readOnly: flag('Whether it is only read.'),
      }),
      { maxItems: 16 },
    ),
    interfaces: list(
      'Its network cards.',
      object('A card.', {
        name: shortText('Its place among them.'),
        network: shortText('The network that it is plugged into.'),
        macAddress: shortText('Its hardware address.'),
      }),
      { maxItems: 8 },
    ),
    hardware: text('What else it is made of. It keeps that until it is built anew, from a spec that was changed.', {
      maxLength: limits.hardware,
    }),
    obstacles: list(
      'What a VirtualMachine cannot say of it, so that it is not adopted.',
      object('One thing.', {
        field: shortText('Where in the domain.'),
        message: text('What it is, and what to do about it.', { maxLength: limits.shownValue }),
      }),
      { maxItems: limits.obstacles },
    ),
  },
);
export interface Found extends Static<typeof foundSchema> {}

const marksSchema = object('What the domain bears of Usher. Whoever can write to the hypervisor can have written it.', {
  namespace: text('Namespace of its VirtualMachine.', { maxLength: limits.markedName }),
  name: text('Name of its VirtualMachine.', { maxLength: limits.markedName }),
  uid: text('The uid of its VirtualMachine.', { maxLength: limits.markedName }),
  epoch: integer('The permission that it was last given.', { minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  payload: text('What the operator signed last for it: the whole VirtualMachine as it was granted, as JSON.', {
    maxLength: limits.payload,
  }),
  signature: text("The operator's signature over it (Ed25519, base64).", { maxLength: 88 }),
});
export interface Marks extends Static<typeof marksSchema> {}

const reportOutcomes = ['Waiting', 'Taken', 'Superseded', 'Refused', 'LeftAlone'] as const;

const verdictSchema = object('What the operator makes of the report.', {
  outcome: stringEnum(
    'Waiting: nothing is decided yet. Taken: its VirtualMachine was written anew, or found, and holds the domain. Superseded: another node has the same guest under a higher epoch, or runs it. Refused: the operator cannot believe or use it. LeftAlone: nobody asked that it be taken.',
    reportOutcomes,
  ),
  reason: text('Why, as one CamelCase word for programs.', { maxLength: 64, pattern: '^[A-Za-z]+$' }),
  message: text('Why, in a sentence for people.', { maxLength: limits.sentence }),
  time: timestamp('When this was said first.'),
});
export interface ReportVerdict extends Static<typeof verdictSchema> {}

const domainReportStatusSchema = object('What the daemon sees, and what the operator makes of it.', {
  domain: optional(reportedDomainSchema),
  marks: optional(marksSchema),
  found: optional(foundSchema),
  over: optional(
    flag('The domain is managed again, or gone: its daemon has no more to say, and the operator removes the report.'),
  ),
  verdict: optional(verdictSchema),
});
export interface DomainReportStatus extends Static<typeof domainReportStatusSchema> {}

/** Whom an object goes with, in the form of metav1.OwnerReference. */
interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
}

export interface DomainReport {
  apiVersion: typeof API_VERSION;
  kind: 'DomainReport';
  metadata: ObjectMeta & { ownerReferences?: readonly OwnerReference[] };
  spec: Static<typeof domainReportSpecSchema>;
  status?: DomainReportStatus;
}

/** A report's name follows from what it is about, so that admission can check it and none is made twice. */
export function domainReportName({ nodeName, uuid: id }: DomainReport['spec']): string {
  return `${nodeName}.${id}`;
}

export const domainReportKind = {
  kind: 'DomainReport',
  plural: 'domainreports',
  singular: 'domainreport',
  shortNames: ['udr'],
  scope: 'Cluster',
  description:
    'A guest that a hypervisor has and that no VirtualMachine declares there. Its daemon creates it and the operator removes it; after the loss of the control plane every VirtualMachine is written anew from these.',
  spec: domainReportSpecSchema,
  status: domainReportStatusSchema,
  rules: [
    {
      rule: "self.metadata.name == self.spec.nodeName + '.' + self.spec.uuid",
      message: 'metadata.name must be spec.nodeName, a dot, and spec.uuid',
    },
    { rule: 'self.spec == oldSelf.spec', message: 'spec cannot be changed' },
  ],
  columns: [
    { name: 'Hypervisor', type: 'string', jsonPath: '.spec.nodeName', description: 'Where the domain is.' },
    { name: 'Domain', type: 'string', jsonPath: '.status.domain.name', description: 'Its name there.' },
    { name: 'State', type: 'string', jsonPath: '.status.domain.powerState', description: 'Its state there.' },
    { name: 'Reason', type: 'string', jsonPath: '.status.domain.reason', description: 'Whose it is.' },
    {
      name: 'Verdict',
      type: 'string',
      jsonPath: '.status.verdict.reason',
      description: 'What the operator makes of it.',
    },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Since its creation.' },
    {
      name: 'Message',
      type: 'string',
      jsonPath: '.status.verdict.message',
      description: 'The same in words.',
      priority: 1,
    },
  ],
  selectableFields: ['.spec.nodeName'],
} satisfies KindDefinition;
