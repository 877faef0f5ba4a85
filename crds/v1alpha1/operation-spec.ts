import type { Static } from 'typebox';
import { flag, integer, object, optional, stringEnum, text } from '#crds/schema/builders.ts';
import { setLimits } from '#crds/set/syntax.ts';
import { labelMap, labelSelector } from './fragments.ts';
import { virtualMachineSpecSchema } from './virtual-machine-spec.ts';

export const operationTypes = [
  'Start',
  'Shutdown',
  'PowerOff',
  'Destroy',
  'Pause',
  'Resume',
  'Hibernate',
  'Restore',
  'Migrate',
  'Reboot',
  'Cycle',
  'Adopt',
  'Release',
] as const;
export type OperationType = (typeof operationTypes)[number];

const nameSet = (description: string) => text(description, { minLength: 1, maxLength: setLimits.text });

const targetsSchema = object(
  'The VMs to operate on, all in the namespace of the operation. Where several of these are given, a VM must fit all of them. What is found at the beginning is what is operated on.',
  {
    set: optional(
      nameSet(
        'Names, ranges, globs and regular expressions with commas between, for example web-{1-10,15}, 1-10.sneetch, db-* or /web-[0-9]+/.',
      ),
    ),
    selector: optional(labelSelector('VMs with these labels.')),
    hypervisors: optional(
      nameSet('VMs that are on one of these hypervisors: a set of their names, for example kvm{1-4}.example.org.'),
    ),
  },
  {
    rules: [
      {
        rule: 'has(self.set) || has(self.selector) || has(self.hypervisors)',
        message: 'name the VMs: give at least one of set, selector and hypervisors; set: "*" is all of them',
      },
    ],
  },
);

const templateSchema = object('What a VM is created from that does not exist yet.', {
  metadata: optional(object('What of its metadata is given.', { labels: optional(labelMap('Its labels.')) })),
  spec: virtualMachineSpecSchema,
});

/** Fields that can still be changed, unlike all others: how an operation goes on is not what it does. */
const fixed = ['type', 'targets', 'grant', 'parallelism', 'deadlineSeconds', 'ttlSecondsAfterFinished'] as const;
const fixedIfGiven = ['hypervisorHints', 'template', 'reason'] as const;

function unchanged(field: string): string {
  return `has(self.${field}) == has(oldSelf.${field}) && (!has(self.${field}) || self.${field} == oldSelf.${field})`;
}

export const operationSpecSchema = object(
  'What is to be done, to which VMs, and how. It cannot be changed afterwards, but for cancel and suspend: create another operation.',
  {
    type: stringEnum(
      'Start has them run, and creates from template what does not exist. Shutdown has them stop, as their spec.powerOff says; PowerOff pulls their plugs, and they stay; Destroy pulls their plugs and deletes them. Pause has those that run stand still, with their memory, and Resume has them go on. Hibernate keeps their memory on disk and ends their processes, and Restore has them go on from there. Migrate moves those that run to another hypervisor while they run. Reboot asks the guests to reboot; Cycle pulls their plugs and starts them again with their newest spec. Adopt makes VirtualMachines of guests that nobody declares, as they are; Release deletes VirtualMachines and lets go of their guests, which run on.',
      operationTypes,
    ),
    targets: targetsSchema,
    template: optional(templateSchema),
    hypervisorHints: optional(
      nameSet(
        'A set of names of hypervisors. For VMs that are created those to try first: a suggestion, as spec.placement.preferredHypervisors is. With Migrate the guests go to one of these and nowhere else; left out, placement chooses. With Adopt only guests that are there are adopted. It takes the verb use on hypervisors.',
      ),
    ),
    grant: stringEnum(
      'BestEffort does it to as many as it may and as there is room for, and says why not to the others. AllOrNothing decides beforehand, and does nothing at all where one of them cannot be had.',
      ['BestEffort', 'AllOrNothing'],
      { default: 'BestEffort' },
    ),
    parallelism: integer('How many VMs are operated on at a time.', { minimum: 1, maximum: 100, default: 20 }),
    deadlineSeconds: integer(
      'Seconds after its beginning at which it ends, whatever is done by then. What was declared until then stays declared.',
      { minimum: 1, maximum: 86_400, default: 3600 },
    ),
    ttlSecondsAfterFinished: optional(
      integer('Seconds after its end at which the operation itself is deleted. Left out, it stays.', {
        minimum: 0,
        maximum: 31_536_000,
      }),
    ),
    reason: optional(text('Why, for those who read it later.', { maxLength: 256 })),
    cancel: flag('Set to true to end it: what has not been begun is not done. It cannot be taken back.', {
      default: false,
    }),
    suspend: flag('While true nothing more is begun; what is under way goes on, and so does the deadline.', {
      default: false,
    }),
  },
  {
    rules: [
      ...[...fixed, ...fixedIfGiven].map((field) => ({
        rule: unchanged(field),
        message: 'cannot be changed: cancel this operation and create another one',
        fieldPath: `.${field}`,
      })),
      {
        rule: '!oldSelf.cancel || self.cancel',
        message: 'cannot be taken back: create another operation',
        fieldPath: '.cancel',
      },
      {
        rule: "!has(self.template) || self.type == 'Start'",
        message: 'is for type Start alone: no other type creates VMs',
        fieldPath: '.template',
      },
      {
        rule: "!has(self.hypervisorHints) || has(self.template) || self.type == 'Migrate' || self.type == 'Adopt'",
        message: 'is for VMs that are created, moved or adopted: give template too, or leave it out',
        fieldPath: '.hypervisorHints',
      },
      {
        rule: "self.type != 'Adopt' || has(self.targets.set) && !has(self.targets.selector) && !has(self.targets.hypervisors)",
        message:
          'of Adopt need set, and neither selector nor hypervisors: give hypervisorHints to name the hypervisors',
        fieldPath: '.targets',
      },
      {
        rule: '!has(self.template) || has(self.targets.set) && !has(self.targets.selector) && !has(self.targets.hypervisors)',
        message: 'needs targets.set, and neither selector nor hypervisors: what is created must be named',
        fieldPath: '.template',
      },
    ],
  },
);
export interface OperationSpec extends Static<typeof operationSpecSchema> {}
