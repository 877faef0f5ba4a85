// VirtualMachines in every state that could ever be read, likely or not.
import fc from 'fast-check';
import { isSurelyHibernated, mayBeThere } from '#crds/derive/hibernated.ts';
import { FORCE_DELETE_ANNOTATION, VM_FINALIZER } from '#crds/v1alpha1/names.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { powerStates } from '#crds/v1alpha1/virtual-machine-spec.ts';
import {
  type Decision,
  type Granted,
  type Instance,
  instanceStates,
  type LastTermination,
  type PlacementStatus,
  terminationReasons,
  type VirtualMachineStatus,
} from '#crds/v1alpha1/virtual-machine-status.ts';
import { condition } from './condition.ts';
import { TIME, timeAfter } from './time.ts';
import { uuidFor } from './uuid.ts';
import { grantedFor, newMachine, placementOn } from './virtual-machine.ts';

const guarantees = fc.constantFrom(
  {},
  {},
  { cpuLimit: '500m' },
  { cpuReservation: '0.5', memoryMinimum: '512Mi' },
  { cpuShares: 2048 },
);

const resources = fc
  .tuple(fc.record({ cpus: fc.constantFrom(1, 2, 4), memory: fc.constantFrom('1Gi', '2Gi', '3Gi') }), guarantees)
  .map(([size, guaranteed]) => ({ ...size, ...guaranteed }));

/** Over, over soon, far away; most have none. */
const expirationTime = fc.constantFrom(
  {},
  {},
  {},
  ...[-1, 60, 86_400].map((seconds) => ({ expirationTime: timeAfter(seconds) })),
);

const spec = fc.record({
  powerState: fc.constantFrom(...powerStates),
  resources,
  restartPolicy: fc.constantFrom('Always' as const, 'OnFailure' as const, 'Never' as const),
  recovery: fc.record({
    onLost: fc.constantFrom('Hold' as const, 'Restart' as const),
    lostTimeoutSeconds: fc.constantFrom(0, 60, 300),
    onMissing: fc.constantFrom('Hold' as const, 'Recreate' as const),
  }),
  powerOff: fc.record({
    mode: fc.constantFrom('Graceful' as const, 'GracefulThenForce' as const, 'Force' as const),
    gracePeriodSeconds: fc.constantFrom(0, 60),
  }),
});

const deletionPolicy = fc.constantFrom(
  {},
  {},
  { deletionPolicy: 'PowerOff' as const },
  { deletionPolicy: 'Release' as const },
);

const specs = fc
  .tuple(spec, expirationTime, deletionPolicy)
  .map(([declared, end, deletion]) => ({ ...declared, ...end, ...deletion }));

const seldom = fc.constantFrom(true, false, false, false, false);

const metadata = fc.record({
  generation: fc.constantFrom(1, 2, 3),
  deleting: seldom,
  ours: fc.boolean(),
  forced: fc.constantFrom(undefined, undefined, 'hv1', 'hv2'),
});

const placement: fc.Arbitrary<PlacementStatus> = fc
  .record({
    hypervisor: fc.constantFrom('hv1', 'hv2'),
    epoch: fc.constantFrom(1, 2, 3),
    alternatives: fc.constantFrom(0, 1),
    replaced: seldom,
    seconds: fc.constantFrom(-3600, -10, 0),
    runnableGeneration: fc.constantFrom(0, 1, 2, 3),
    abandoned: seldom,
  })
  .map(({ hypervisor, epoch, alternatives, replaced, seconds, runnableGeneration, abandoned }) =>
    placementOn(hypervisor, {
      epoch,
      alternatives,
      runnableGeneration,
      ...(abandoned ? { abandoned } : {}),
      time: timeAfter(seconds),
      ...(replaced ? { hypervisorUID: uuidFor('predecessor') } : {}),
    }),
  );

const grant = fc.record({
  generation: fc.constantFrom(1, 2, 3, 3, 3),
  powerState: fc.constantFrom(...powerStates),
  resources,
});

const instance = fc.record({
  behind: fc.constantFrom(0, 0, 0, 1),
  generation: fc.constantFrom(1, 2, 3),
  powerState: fc.constantFrom(...instanceStates),
  rebooted: fc.boolean(),
  withResources: fc.boolean(),
});

const lastTermination: fc.Arbitrary<LastTermination> = fc
  .record({ reason: fc.constantFrom(...terminationReasons), seconds: fc.constantFrom(-60, 0) })
  .map(({ reason, seconds }) => ({
    reason,
    initiator: reason === 'StoppedByRequest' || reason === 'ForcedByRequest' ? 'User' : 'Unknown',
    time: timeAfter(seconds),
    message: `It ended: ${reason}.`,
  }));

const decision: fc.Arbitrary<Decision> = fc.record({
  event: fc.constantFrom('vm.start.request', 'vm.shutdown.request', 'vm.pause.request', 'vm.pause.request'),
  policy: fc.constant('default'),
  verdict: fc.constantFrom('Allow' as const, 'Modify' as const),
  reason: fc.constant('No policy objects: everything is allowed.'),
  generation: fc.constantFrom(1, 2, 3),
  time: fc.constantFrom(-3600, -1).map(timeAfter),
});

const verdict = fc.constantFrom('True' as const, 'False' as const, undefined);

const facts = fc.record({
  metadata,
  spec: specs,
  placement: fc.option(placement, { nil: undefined, freq: 5 }),
  grant: fc.option(grant, { nil: undefined, freq: 10 }),
  instance: fc.option(instance, { nil: undefined }),
  lastTermination: fc.option(lastTermination, { nil: undefined }),
  reachable: verdict,
  placed: verdict,
  provisioned: verdict,
  decisions: fc.uniqueArray(decision, { selector: ({ event }) => event, maxLength: 3 }),
});
type Facts = typeof facts extends fc.Arbitrary<infer T> ? T : never;

/**
 * Nothing is too odd, except that a report never runs ahead of its placement or of what is granted, nor a decision ahead of
 * the spec.
 */
export const arbitraryMachine: fc.Arbitrary<VirtualMachine> = facts.map((given) => {
  const { generation, deleting, ours, forced } = given.metadata;
  const vm = newMachine({
    spec: given.spec,
    metadata: {
      generation,
      finalizers: ours ? [VM_FINALIZER] : [],
      ...(forced === undefined ? {} : { annotations: { [FORCE_DELETE_ANNOTATION]: forced } }),
      ...(deleting ? { deletionTimestamp: TIME } : {}),
    },
  });
  return { ...vm, status: { ...vm.status, ...statusOf(vm, given) } };
});

/** The same, declared and reported hibernated as the last that happened. */
export const arbitraryHibernated: fc.Arbitrary<VirtualMachine> = arbitraryMachine.map((vm) => {
  const { granted = grantedFor(vm), placement = placementOn('hv1'), ...status } = vm.status ?? {};
  const { abandoned: _none, ...where } = placement;
  const given = { behind: 0, generation: 1, powerState: 'Hibernated', withResources: true, rebooted: false } as const;
  const instance = { ...instanceOf(vm, where, given), generation: granted.generation };
  const allowed = { ...where, runnableGeneration: granted.generation - 1 };
  return {
    ...vm,
    status: { ...status, granted: { ...granted, powerState: 'Hibernated' }, placement: allowed, instance },
  };
});

function statusOf(vm: VirtualMachine, given: Facts): Partial<VirtualMachineStatus> {
  const { grant: decided, placement: where, lastTermination: ended } = given;
  const generation = Math.min(decided?.generation ?? 0, vm.metadata.generation ?? 0);
  const granted: Granted | undefined = decided && grantedFor(vm, { ...decided, generation });
  const report = where && given.instance && notAhead(instanceOf(vm, where, given.instance), granted);
  return {
    ...(granted === undefined ? {} : { granted, observedGeneration: generation }),
    ...(where === undefined ? {} : { placement: coherent(where, granted, report) }),
    ...(report === undefined ? {} : { instance: report }),
    ...(ended === undefined ? {} : { lastTermination: ended }),
    decisions: given.decisions.filter((one) => isPossible(one, granted)),
    conditions: [
      ...(vm.status?.conditions ?? []),
      ...[
        ['HypervisorReachable', given.reachable] as const,
        ['Placed', given.placed] as const,
        ['Provisioned', given.provisioned] as const,
      ].flatMap(([type, status]) => (status === undefined ? [] : [condition(type, status)])),
    ],
  };
}

/** Whoever reports has acted on what is granted, or on something earlier. */
function notAhead(report: Instance, granted: Granted | undefined): Instance {
  const { powerState } = report;
  if (granted === undefined) return { ...report, powerState: powerState === 'Hibernated' ? 'Stopped' : powerState };
  return { ...report, generation: Math.min(report.generation, granted.generation) };
}

/** What was allowed is no newer than what is granted, and only what can no longer be there is given up. */
function coherent(where: PlacementStatus, granted: Granted | undefined, report: Instance | undefined): PlacementStatus {
  const { abandoned, runnableGeneration = 0, ...rest } = where;
  const newest = granted?.generation ?? 0;
  const runnable = mayBeThere(granted?.powerState) ? newest : Math.min(runnableGeneration, newest);
  const placement = { ...rest, runnableGeneration: runnable };
  const isOff = isSurelyHibernated({ placement, ...(granted && { granted }), ...(report && { instance: report }) });
  return abandoned === true && isOff ? { ...placement, abandoned } : placement;
}

/** That the guest stands still, for this generation. */
export function pauseDecided(generation: number): Decision {
  const [event, policy, reason] = ['vm.pause.request', 'default', 'No policy objects: everything is allowed.'];
  return { event, policy, verdict: 'Allow', reason, generation, time: TIME };
}

/** What is granted by now was decided last. */
export function isPossible({ event, generation = 0 }: Decision, granted: Granted | undefined): boolean {
  return event !== 'vm.pause.request' || granted?.powerState === 'Paused' || generation < (granted?.generation ?? 0);
}

function instanceOf(vm: VirtualMachine, where: PlacementStatus, given: NonNullable<Facts['instance']>): Instance {
  const { behind, generation, powerState, rebooted, withResources } = given;
  return {
    epoch: Math.max(where.epoch - behind, 1),
    generation: Math.min(generation, vm.metadata.generation ?? 0),
    powerState,
    ...(withResources ? { resources: { cpus: 2, memory: '2Gi' } } : {}),
    uuid: vm.metadata.uid,
    bootID: uuidFor(rebooted ? 'an earlier boot' : `boot of ${where.hypervisor}`),
    since: TIME,
  };
}
