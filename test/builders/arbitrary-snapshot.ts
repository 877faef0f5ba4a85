// Everything that the daemon of hv1 could ever see of one guest, likely or not.
import fc from 'fast-check';
import { mayBeThere } from '#crds/derive/hibernated.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { powerStates, type VirtualMachineSpec } from '#crds/v1alpha1/virtual-machine-spec.ts';
import type { DomainMemory, FailedStep } from '#node-daemon/domains/memory.ts';
import type { Snapshot } from '#node-daemon/domains/snapshot.ts';
import type { Domain, DomainPowerState } from '#node-daemon/hypervisor/driver.ts';
import { arbitraryMachine, isPossible, pauseDecided } from './arbitrary-machine.ts';
import { type DomainChanges, domainOf, domainSnapshot } from './domain.ts';
import { grantedFor, placedMachine, placementOn } from './virtual-machine.ts';

const NOW = 1_000_000;
/** Just now, within every pause, and beyond them all. */
const earlier = fc.constantFrom(0, 1_000, 4_000, 61_000, 700_000).map((milliseconds) => NOW - milliseconds);

const by = fc.oneof(
  fc.constantFrom({ kind: 'Request' as const }, { kind: 'Force' as const }),
  fc.record({
    kind: fc.constant('ForceFailed' as const),
    times: fc.integer({ min: 1, max: 9 }),
    why: fc.constant('it is locked'),
  }),
);
const stop = fc.record({
  askedAt: earlier,
  lastAskedAt: earlier,
  by,
  withdrawn: fc.boolean(),
  resumed: fc.boolean(),
});
const failedStep = fc.record({
  kind: fc.constantFrom<FailedStep['kind']>('Confirm', 'Pause', 'Resume', 'Hibernate', 'DiscardImage'),
  times: fc.integer({ min: 1, max: 9 }),
  failedAt: earlier,
  why: fc.constant('it is locked'),
});
const failedStart = fc.record({
  generation: fc.constantFrom(1, 2, 3),
  failures: fc.integer({ min: 1, max: 9 }),
  answered: fc.boolean(),
  failedAt: earlier,
  code: fc.constantFrom('StartFailed', 'InvalidOnHypervisor', 'NoRoom'),
  reason: fc.constant('It failed.'),
});

const ended = fc.record({
  at: earlier,
  termination: fc.record({
    reason: fc.constantFrom(
      'Crashed' as const,
      'HostRebooted' as const,
      'DestroyedOnHost' as const,
      'MovedAway' as const,
      'Vanished' as const,
    ),
    initiator: fc.constant('Unknown' as const),
    message: fc.constant('It ended.'),
  }),
  told: fc.boolean(),
});

const memory: fc.Arbitrary<DomainMemory> = fc.record(
  {
    restarts: fc.integer({ min: 0, max: 12 }),
    stop,
    failedStart,
    failedStep,
    ended,
    startedAt: earlier,
    unknownSince: earlier,
  },
  { requiredKeys: ['restarts'] },
);

const up = fc.constantFrom<DomainPowerState>('Running', 'Paused', 'Saving', 'ShuttingDown', 'Unknown');
const reason = fc.constantFrom(
  ...(['NeverStarted', 'Shutdown', 'Destroyed', 'Crashed', 'Failed', 'Migrated', 'Saved', 'Unknown'] as const),
);

const KEPT = { powerState: 'ShutOff', shutOffReason: 'Saved', hasImage: true } as const;
const IN_PLACE = ['InPlace', 'InPlace', 'InPlace', 'InPlace'] as const;

const power: fc.Arbitrary<Pick<Domain, 'powerState' | 'shutOffReason' | 'hasImage'>> = fc.oneof(
  fc.record({ powerState: up }),
  fc.constant(KEPT),
  fc.record({ powerState: fc.constantFrom('ShutOff' as const, 'Crashed' as const), shutOffReason: reason }),
);

const domain: fc.Arbitrary<Domain> = fc
  .record({ power, epoch: fc.constantFrom(1, 2, 3), generation: fc.constantFrom(1, 2, 3), marked: fc.boolean() })
  .map(({ power: changes, epoch, generation, marked }) =>
    domainOf(placedMachine(), { ...changes, metadata: marked ? { epoch, generation } : null }),
  );

export const arbitrarySnapshot: fc.Arbitrary<Snapshot> = fc
  .record({
    cached: fc.option(arbitraryMachine, { nil: undefined }),
    live: fc.oneof(fc.constantFrom(undefined, 'Gone' as const), arbitraryMachine),
    domain: fc.oneof(
      { weight: 1, arbitrary: fc.constantFrom(undefined, 'Unknown' as const) },
      { weight: 3, arbitrary: domain },
    ),
    room: fc.constantFrom<Snapshot['room']>(
      { fits: true },
      { fits: true },
      { fits: true },
      { fits: false, reason: 'No room.' },
      { fits: undefined, reason: 'Not known yet.' },
    ),
    limits: fc.constantFrom<Snapshot['limits']>(
      { kind: 'NotAsked' },
      { kind: 'Unknown' },
      { kind: 'Unsupported', why: 'there is no cgroup' },
      { kind: 'Seen', limits: { cpuShares: 1024 } },
      { kind: 'Seen', limits: { cpuShares: 1024, cpuLimitMillis: 500 } },
    ),
    leaseValid: fc.constantFrom(true, true, true, false),
    guarded: fc.boolean(),
    memory,
    initiator: fc.constantFrom('Guest' as const, 'Host' as const, 'Unknown' as const),
  })
  .map((changes) => domainSnapshot({ ...changes, now: NOW }));

/**
 * The same, with a VM that was found by a live read or is known from the cache. Most that is likely comes of a few shapes,
 * which chance alone hardly makes: one that is to be started, one whose guest is there under its permission, one whose
 * guest is up and not as it is wanted, and one whose guest is hibernated.
 */
export const arbitraryOwnedSnapshot: fc.Arbitrary<Snapshot> = fc
  .record({
    snapshot: arbitrarySnapshot,
    vm: arbitraryMachine,
    live: fc.constantFrom(true, true, false),
    shape: fc.constantFrom('Any', 'Any', 'ToStart', 'ToStart', ...IN_PLACE, 'Up', 'Up', 'Asleep'),
    power,
    wanted: fc.constantFrom<VirtualMachineSpec['powerState']>(...powerStates),
  })
  .map(({ snapshot, vm, live, shape, power: seen, wanted }) => {
    switch (shape) {
      case 'Any':
        return { ...snapshot, ...withMachine(vm, live) };
      case 'ToStart':
        return { ...snapshot, ...withMachine(neverStarted(vm), live), domain: { kind: 'Absent' } };
      case 'InPlace':
        return { ...snapshot, ...inPlace(placedHere(vm), seen, live) };
      case 'Asleep':
        return { ...snapshot, ...inPlace(hibernated(placedHere(vm, wanted)), KEPT, live) };
      case 'Up':
        return {
          ...snapshot,
          ...inPlace(changedMind(placedHere(vm, wanted)), { powerState: otherThan(wanted) }, live),
        };
    }
  });

function inPlace(vm: VirtualMachine, seen: DomainChanges, live: boolean): Pick<Snapshot, 'cached' | 'live' | 'domain'> {
  return { ...withMachine(vm, live), domain: { kind: 'Present', domain: domainOf(vm, seen) } };
}

function withMachine(vm: VirtualMachine, live: boolean): Pick<Snapshot, 'cached' | 'live'> {
  return { cached: vm, live: live ? { kind: 'Found', vm } : { kind: 'NotAsked' } };
}

/** What it is where it is not what it shall be. */
function otherThan(wanted: VirtualMachineSpec['powerState']): DomainPowerState {
  return wanted === 'Paused' ? 'Running' : 'Paused';
}

function hibernated(vm: VirtualMachine): VirtualMachine {
  const { instance, ...status } = vm.status ?? {};
  return { ...vm, status: { ...status, ...(instance && { instance: { ...instance, powerState: 'Hibernated' } }) } };
}

/** Of a VM that is declared to run: it was declared to stand still before, and that was told last, if anything. */
function changedMind(vm: VirtualMachine): VirtualMachine {
  const { granted, instance, ...status } = vm.status ?? {};
  if (granted?.powerState !== 'Running') return vm;
  const generation = granted.generation - 1;
  const told = instance === undefined ? {} : { instance: { ...instance, generation } };
  return { ...vm, status: { ...status, granted, ...told, decisions: [pauseDecided(generation)] } };
}

function placedHere(vm: VirtualMachine, wanted?: VirtualMachineSpec['powerState']): VirtualMachine {
  const { granted: given = grantedFor(vm), placement, decisions = [], ...status } = vm.status ?? {};
  const granted = { ...given, ...(wanted && { powerState: wanted }) };
  const here = placementOn('hv1', placement === undefined ? {} : { epoch: placement.epoch });
  const possible = decisions.filter((decision) => isPossible(decision, granted));
  return { ...vm, status: { ...status, granted, placement: here, decisions: possible } };
}

function neverStarted(vm: VirtualMachine): VirtualMachine {
  const { instance: _none, granted = grantedFor(vm), ...status } = vm.status ?? {};
  const powerState = mayBeThere(granted.powerState) ? granted.powerState : 'Running';
  return { ...vm, status: { ...status, granted: { ...granted, powerState } } };
}
