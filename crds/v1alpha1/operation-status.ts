import type { Static } from 'typebox';
import { integer, list, object, optional, stringEnum, text, timestamp } from '#crds/schema/builders.ts';
import { setLimits } from '#crds/set/syntax.ts';
import { conditions, dnsLabel, subdomain } from './fragments.ts';
import { limits } from './limits.ts';

export const operationPhases = [
  'Pending',
  'Running',
  'Succeeded',
  'PartiallySucceeded',
  'Failed',
  'Denied',
  'Cancelled',
] as const;
export type OperationPhase = (typeof operationPhases)[number];

export const outcomes = [
  'Succeeded',
  'Failed',
  'Denied',
  'NotGranted',
  'DeclaredElsewhere',
  'Unknown',
  'Cancelled',
] as const;
export type Outcome = (typeof outcomes)[number];

const count = (description: string) => integer(description, { minimum: 0, maximum: setLimits.names });
const sentence = (description: string) => text(description, { maxLength: limits.sentence });
const ranges = (description: string) =>
  list(description, text('One or more names, for example web-{1-10}.', { maxLength: 128 }), {
    maxItems: setLimits.names,
  });

const countsSchema = object('How many VMs are in which state. Each is counted once.', {
  total: count('Targets.'),
  succeeded: count('Done.'),
  failed: count('Not done, whatever the reason: see results.'),
  cancelled: count('Not done, or not seen to the end, because the operation was cancelled.'),
  active: count('Under way.'),
  waiting: count('Not begun.'),
});

const activeSchema = object('A VM that is being operated on.', {
  name: dnsLabel('The VM.'),
  startTime: timestamp('When it was begun.'),
});

const resultSchema = object('What came of it for one VM.', {
  name: dnsLabel('The VM.'),
  outcome: stringEnum(
    'Denied: the requester may not do this to it. NotGranted: there is no room. DeclaredElsewhere: another manager, such as a GitOps tool, owns spec.powerState. Unknown: it was begun, and nobody knows whether it was done; it is not done again.',
    outcomes,
  ),
  reason: text('Why, as one CamelCase word for programs.', { maxLength: 64, pattern: '^[A-Za-z][A-Za-z0-9]*$' }),
  message: sentence('Why, in a sentence for people.'),
  seconds: optional(integer('How long it took.', { minimum: 0, maximum: 1_000_000 })),
  hypervisor: optional(subdomain('Where the VM is, or was last.')),
});
export interface OperationResult extends Static<typeof resultSchema> {}

export const operationStatusSchema = object(
  'How far it is and what came of it. Written by the operator, never by you. What happened to one VM stands in full in that VM.',
  {
    observedGeneration: optional(
      integer('The metadata.generation that this is about.', { minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    ),
    phase: optional(stringEnum('One word for people; programs read the conditions.', operationPhases)),
    startTime: optional(timestamp('When its targets were found and it began.')),
    completionTime: optional(timestamp('When it ended.')),
    summary: optional(text('The targets in a few words.', { maxLength: 64 })),
    done: optional(text('How many of how many succeeded, for example 7/10.', { maxLength: 16 })),
    counts: optional(countsSchema),
    targets: optional(ranges('The VMs that it is about, as they were found at its beginning.')),
    succeeded: optional(ranges('Those for which it is done.')),
    failed: optional(ranges('Those for which it was not done.')),
    cancelled: optional(ranges('Those that it was cancelled for.')),
    active: optional(list('Those under way.', activeSchema, { maxItems: limits.activeTargets })),
    results: optional(
      list(
        `What came of it per VM, at most ${limits.results} of them: where there are more, failures come before successes.`,
        resultSchema,
        { maxItems: limits.results },
      ),
    ),
    conditions: optional(conditions('Ready, Finished, Reconciling and Stalled.')),
  },
);
export interface OperationStatus extends Static<typeof operationStatusSchema> {}
