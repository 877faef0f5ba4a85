import type { Static } from 'typebox';
import {
  flag,
  integer,
  list,
  object,
  optional,
  setOf,
  stringEnum,
  stringMap,
  text,
  timestamp,
} from '#crds/schema/builders.ts';
import { conditions, subdomain, usageSchema, uuidText } from './fragments.ts';
import { limits } from './limits.ts';
import { migrationSchema } from './migration-status.ts';
import { powerStates, resourcesSchema } from './virtual-machine-spec.ts';

const GENERATION_MAX = Number.MAX_SAFE_INTEGER;
const generation = (description: string) => integer(description, { minimum: 0, maximum: GENERATION_MAX });
const epoch = (description: string) => integer(description, { minimum: 0, maximum: GENERATION_MAX });
const sentence = (description: string) => text(description, { maxLength: limits.sentence });
const word = (description: string) => text(description, { maxLength: 64, pattern: '^[A-Za-z][A-Za-z0-9]*$' });

export const phases = [
  'Pending',
  'Scheduling',
  'Starting',
  'Running',
  'Paused',
  'Hibernated',
  'Stopping',
  'Stopped',
  'Migrating',
  'Lost',
  'Missing',
  'Failed',
  'Terminating',
] as const;
export type Phase = (typeof phases)[number];

export const instanceStates = [
  'Starting',
  'Running',
  'Paused',
  'Hibernated',
  'Stopping',
  'Stopped',
  'Crashed',
  'Missing',
  'Refused',
  'Absent',
] as const;
export type InstanceState = (typeof instanceStates)[number];

/** What an operation asks of a guest beyond its power state. */
export const guestOperations = ['Start', 'PowerOff', 'Destroy', 'Reboot', 'Cycle', 'Migrate', 'Release'] as const;

const operationName = subdomain('Name of the VirtualMachineOperation.');

const grantedOperationSchema = object(
  'What an operation asks of the guest. It is about one permission, and means nothing under any other.',
  {
    uid: uuidText('Of the VirtualMachineOperation.'),
    name: operationName,
    type: stringEnum(
      'Reboot and Cycle are done once; PowerOff and Destroy say that the stop is by force; Release that its guest outlives the deletion; Start asks for another permission; Migrate for another hypervisor.',
      guestOperations,
    ),
    epoch: epoch('The permission under which it is meant.'),
    hypervisors: optional(
      setOf('For Migrate: it is to go to one of these.', subdomain('Name of a Hypervisor.'), { maxItems: 32 }),
    ),
    refused: optional(sentence('Why it cannot be done.')),
  },
);
export interface GrantedOperation extends Static<typeof grantedOperationSchema> {}

const grantedSchema = object('What the policies allowed. A daemon executes this and nothing else.', {
  generation: generation('The metadata.generation that was decided.'),
  powerState: stringEnum('The power state that was allowed.', powerStates),
  resources: resourcesSchema,
  parameters: optional(stringMap('The parameters after the policies.', { maxProperties: 32, maxLength: 256 })),
  operation: optional(grantedOperationSchema),
  decisionID: text('Identifies the decision in logs and audit trails.', { maxLength: 64 }),
});
export interface Granted extends Static<typeof grantedSchema> {}

export const proofKinds = ['Guard', 'Fenced'] as const;

const proofSchema = object(
  'What proved that the guest was dead under the permission before this one, whose hypervisor could not say so.',
  {
    kind: stringEnum('Guard: the guard of the machine that fell silent has stopped it. Fenced: that machine was.', [
      ...proofKinds,
    ]),
    hypervisor: subdomain('The hypervisor that had fallen silent.'),
    message: sentence('In words.'),
  },
);
export interface Proof extends Static<typeof proofSchema> {}

const placementStatusSchema = object(
  'Which hypervisor holds the permission to run this VM. One epoch is one permission to start.',
  {
    hypervisor: subdomain('Name of the Hypervisor.'),
    hypervisorUID: uuidText('Its uid, so that a hypervisor re-created under the same name is not mistaken for it.'),
    epoch: epoch('Number of the permission. It never falls.'),
    alternatives: optional(
      integer(
        'How many other hypervisors could take it. With any, its daemon gives the permission back where the guest can never be started.',
        { minimum: 0, maximum: 1_000_000 },
      ),
    ),
    runnableGeneration: optional(
      generation(
        'The newest metadata.generation with which the guest was allowed to be there, running or paused, under this permission.',
      ),
    ),
    abandoned: optional(
      flag(
        'The permission is over though its holder did not say so: its guest was hibernated there and has been declared Stopped while the hypervisor cannot be asked. What it keeps of the guest is of no use any more.',
      ),
    ),
    decidedBy: text('The policy that chose.', { maxLength: 253 }),
    reason: sentence('Why this hypervisor.'),
    time: timestamp('When it was chosen.'),
    proof: optional(proofSchema),
    signature: text("The operator's signature over identity, epoch, hypervisor and granted spec (Ed25519, base64).", {
      maxLength: 88,
    }),
  },
  {
    rules: [
      { rule: 'self.epoch >= oldSelf.epoch', message: 'epoch must never fall' },
      {
        rule: 'self.hypervisorUID == oldSelf.hypervisorUID && self.hypervisor == oldSelf.hypervisor || self.epoch > oldSelf.epoch',
        message: 'another hypervisor needs a higher epoch',
      },
      {
        rule: '!has(oldSelf.abandoned) || has(self.abandoned) && self.abandoned == oldSelf.abandoned || self.epoch > oldSelf.epoch',
        message: 'what was abandoned stays so under its epoch',
      },
    ],
  },
);
export interface PlacementStatus extends Static<typeof placementStatusSchema> {}

const instanceSchema = object('The guest as its daemon sees it.', {
  epoch: epoch('The permission this report belongs to.'),
  generation: generation('The granted generation that the daemon has acted on.'),
  decisionID: optional(text('The decision that the daemon has acted on, as granted names it.', { maxLength: 64 })),
  powerState: stringEnum(
    'Stopped, Refused and Absent end the epoch; Hibernated has its memory on disk and no process; Crashed will be started again; Missing is gone though Usher did not remove it.',
    instanceStates,
  ),
  resources: optional(resourcesSchema),
  guarded: optional(
    flag('Whether the guard of the machine will stop the guest when the machine is cut off: see spec.recovery.onLost.'),
  ),
  uuid: uuidText("The hypervisor's identifier of the domain."),
  bootID: uuidText('The boot of the hypervisor machine in which this was seen.'),
  since: timestamp('Since when the guest is in this state.'),
});
export interface Instance extends Static<typeof instanceSchema> {}

export const terminationReasons = [
  'StoppedByRequest',
  'ForcedByRequest',
  'StoppedByGuest',
  'Crashed',
  'DestroyedOnHost',
  'MovedAway',
  'Vanished',
  'SavedImageGone',
  'HostRebooted',
  'Unknown',
] as const;

const lastTerminationSchema = object('How the guest ended the last time.', {
  reason: stringEnum('What happened.', terminationReasons),
  initiator: stringEnum('Who ended it.', ['User', 'Guest', 'Host', 'Unknown']),
  time: timestamp('When it was noticed.'),
  message: sentence('In words.'),
});
export interface LastTermination extends Static<typeof lastTerminationSchema> {}

const executionStates = ['Executing', 'Done', 'Failed', 'Unknown'] as const;

const currentOperationSchema = object('What became of the last operation that is done once: Reboot or Cycle.', {
  uid: uuidText('Of the VirtualMachineOperation.'),
  name: operationName,
  type: stringEnum('What was asked.', ['Reboot', 'Cycle']),
  epoch: epoch('The permission under which it was done.'),
  state: stringEnum(
    'Executing is written before it is done. Unknown: its daemon died in between, or got no answer; it is never done again.',
    executionStates,
  ),
  startTime: timestamp('When it was begun.'),
  completionTime: optional(timestamp('When it was known what came of it.')),
  message: sentence('In words.'),
});
export interface CurrentOperation extends Static<typeof currentOperationSchema> {}

const addressSchema = object('An address of the guest.', {
  ip: text('IPv4 or IPv6 address.', { maxLength: 45, minLength: 2, pattern: '^[0-9a-fA-F:.]+$' }),
  interface: optional(text('The entry in spec.interfaces it belongs to.', { maxLength: 63 })),
  source: stringEnum('Who says so: the lease of a DHCP server, the ARP table of the host, the agent in the guest.', [
    'Lease',
    'ARP',
    'Agent',
  ]),
});
export interface Address extends Static<typeof addressSchema> {}

const transitionSchema = object('One change of the observed state.', {
  seq: integer('Counts up by one per change.', { minimum: 1, maximum: GENERATION_MAX }),
  type: word('The new phase.'),
  time: timestamp('When it happened.'),
  cause: sentence('Why.'),
});
export interface Transition extends Static<typeof transitionSchema> {}

const pendingChangeSchema = object('A change of the spec that needs a restart of the guest to take effect.', {
  field: text('Path of the field.', { maxLength: 128 }),
  current: text('What the running guest has.', { maxLength: limits.shownValue }),
  desired: text('What the spec says.', { maxLength: limits.shownValue }),
});
export interface PendingChange extends Static<typeof pendingChangeSchema> {}

const decisionSchema = object('The last verdict of a policy on an event.', {
  event: text('The event, for example vm.start.request.', { maxLength: 64 }),
  policy: text('The policy.', { maxLength: 253 }),
  verdict: stringEnum('What it said.', ['Allow', 'Deny', 'Defer', 'Modify']),
  reason: sentence('Why.'),
  generation: optional(generation('The metadata.generation that it was about.')),
  time: timestamp('When it happened.'),
});
export interface Decision extends Static<typeof decisionSchema> {}

export const virtualMachineStatusSchema = object(
  'What was decided and what is seen. Written by the operator and by the daemon of the node, never by you.',
  {
    observedGeneration: optional(generation('The metadata.generation that the operator has decided on.')),
    phase: optional(stringEnum('One word for people; programs read the conditions.', phases)),
    granted: optional(grantedSchema),
    placement: optional(placementStatusSchema),
    instance: optional(instanceSchema),
    migration: optional(migrationSchema),
    managed: optional(
      object('How the VM came under management.', {
        origin: stringEnum('Created here, adopted while it ran, or recovered from a hypervisor.', [
          'Created',
          'Adopted',
          'Recovered',
        ]),
      }),
    ),
    addresses: optional(list('Observed addresses.', addressSchema, { maxItems: limits.addresses })),
    usage: optional(usageSchema),
    lastTermination: optional(lastTerminationSchema),
    currentOperation: optional(currentOperationSchema),
    pendingChanges: optional(list('Changes that wait for a restart.', pendingChangeSchema, { maxItems: 32 })),
    decisions: optional(list('The last verdict per event and policy.', decisionSchema, { maxItems: limits.decisions })),
    transitions: optional(
      list('The latest changes of state, oldest first.', transitionSchema, { maxItems: limits.transitions }),
    ),
    conditions: optional(conditions('Ready, Authorized, Placed, Provisioned, PowerStateSynced and more.')),
  },
  {
    rules: [
      {
        rule: '!has(oldSelf.placement) || has(self.placement)',
        message: 'placement cannot be removed: its epoch must never be forgotten',
      },
    ],
  },
);
export interface VirtualMachineStatus extends Static<typeof virtualMachineStatusSchema> {}
