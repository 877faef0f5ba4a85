// A guest's move from one hypervisor to another, as its three sides tell of it: operator, source and target.
import type { Static } from 'typebox';
import { integer, object, optional, stringEnum, text, timestamp } from '#crds/schema/builders.ts';
import { subdomain, uuidText } from './fragments.ts';
import { limits } from './limits.ts';

const sentence = (description: string) => text(description, { maxLength: limits.sentence });
const count = (description: string) => integer(description, { minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const attempt = () => count('Number of the attempt that this is about, as plan.attempt says it.');

export const migrationAddress = (description: string) => text(description, { maxLength: 320, minLength: 1 });

const planSchema = object('What the operator has decided: from where to where.', {
  attempt: integer('Counts up by one with every migration of this VM.', {
    minimum: 1,
    maximum: Number.MAX_SAFE_INTEGER,
  }),
  source: subdomain('Name of the Hypervisor that the guest leaves.'),
  target: subdomain('Name of the Hypervisor that it moves to.'),
  targetUID: uuidText('Uid of that one, so that a hypervisor re-created under the same name is not mistaken for it.'),
  epoch: count('The permission that the target gets when the guest runs there.'),
  address: migrationAddress('Where the target takes guests in.'),
  step: stringEnum('Move: go on with it. Abort: give it up, and say what came of it.', ['Move', 'Abort']),
  requestedBy: text('What asked for it, for example the maintenance of a hypervisor.', { maxLength: 320 }),
  operationUID: optional(uuidText('Of the VirtualMachineOperation that asked for it.')),
  reason: sentence('Why there; with Abort, why it is given up.'),
  time: timestamp('When it was decided.'),
  deadline: timestamp('When it is given up.'),
  timeoutSeconds: integer('Seconds that the move itself may take.', { minimum: 1, maximum: 604_800 }),
  bandwidthMiB: optional(
    integer('MiB a second that it may send at most. Left out, as fast as it goes.', { minimum: 1, maximum: 1_000_000 }),
  ),
});
export interface MigrationPlan extends Static<typeof planSchema> {}

const verdictSchema = object('How it ended.', {
  attempt: attempt(),
  result: stringEnum('Completed: the guest runs on the target. Failed and Aborted: it does not.', [
    'Completed',
    'Failed',
    'Aborted',
  ]),
  reason: sentence('Why.'),
  time: timestamp('When it was closed.'),
});
export interface MigrationVerdict extends Static<typeof verdictSchema> {}

const progressSchema = object('How much of its memory is on its way. The total may grow while the guest works.', {
  processedBytes: count('Bytes that were sent, or did not need to be.'),
  remainingBytes: count('Bytes that are left.'),
  totalBytes: count('Bytes in all.'),
  iteration: count('How often its memory was gone through: what it changed meanwhile is sent again.'),
});

const sourceSchema = object('What the daemon of the source says.', {
  attempt: attempt(),
  state: stringEnum(
    'Moving: it has begun. Stayed: it is over, and the guest is as it was. Held: the guest stands still at the end of its way, until it is known whether it runs on the target. Gone: it runs here no more.',
    ['Moving', 'Stayed', 'Held', 'Gone'],
  ),
  reason: optional(sentence('Why.')),
  progress: optional(progressSchema),
  time: timestamp('When this was seen.'),
});
export interface MigrationSource extends Static<typeof sourceSchema> {}

const targetSchema = object('What the daemon of the target says.', {
  attempt: attempt(),
  state: stringEnum(
    'Ready: it keeps room for the guest. Refused: it cannot take it. Running: the guest has arrived and runs. Absent: it does not run here, and will not.',
    ['Ready', 'Refused', 'Running', 'Absent'],
  ),
  reason: optional(sentence('Why.')),
  time: timestamp('When this was seen.'),
});
export interface MigrationTarget extends Static<typeof targetSchema> {}

export const migrationSchema = object('The latest move of the guest from one hypervisor to another.', {
  plan: optional(planSchema),
  verdict: optional(verdictSchema),
  source: optional(sourceSchema),
  target: optional(targetSchema),
});
export interface Migration extends Static<typeof migrationSchema> {}
