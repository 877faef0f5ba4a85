// Everything that the daemon of hv1 could ever see of one guest, likely or not.
import fc from 'fast-check';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { DomainMemory } from '#node-daemon/domains/memory.ts';
import type { Snapshot } from '#node-daemon/domains/snapshot.ts';
import type { Domain } from '#node-daemon/hypervisor/driver.ts';
import { arbitraryMachine } from './arbitrary-machine.ts';
import { domainOf, domainSnapshot } from './domain.ts';
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
const stop = fc.record({ askedAt: earlier, lastAskedAt: earlier, by, withdrawn: fc.boolean() });
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
    ended,
    startedAt: earlier,
    unknownSince: earlier,
  },
  { requiredKeys: ['restarts'] },
);

const up = fc.constantFrom('Running' as const, 'Paused' as const, 'ShuttingDown' as const, 'Unknown' as const);
const reason = fc.constantFrom(
  ...(['NeverStarted', 'Shutdown', 'Destroyed', 'Crashed', 'Failed', 'Migrated', 'Saved', 'Unknown'] as const),
);

const power: fc.Arbitrary<Pick<Domain, 'powerState' | 'shutOffReason'>> = fc.oneof(
  fc.record({ powerState: up }),
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
    leaseValid: fc.constantFrom(true, true, true, false),
    guarded: fc.boolean(),
    memory,
    initiator: fc.constantFrom('Guest' as const, 'Host' as const, 'Unknown' as const),
  })
  .map((changes) => domainSnapshot({ ...changes, now: NOW }));

/**
 * The same, with a VM that was found by a live read or is known from the cache. Most that is likely comes of two shapes,
 * which chance alone hardly makes: one that is to be started, and one whose guest is there under its permission.
 */
export const arbitraryOwnedSnapshot: fc.Arbitrary<Snapshot> = fc
  .record({
    snapshot: arbitrarySnapshot,
    vm: arbitraryMachine,
    live: fc.constantFrom(true, true, false),
    shape: fc.constantFrom('Any' as const, 'ToStart' as const, 'InPlace' as const, 'InPlace' as const),
    power,
  })
  .map(({ snapshot, vm, live, shape, power: seen }) => {
    switch (shape) {
      case 'Any':
        return { ...snapshot, ...withMachine(vm, live) };
      case 'ToStart':
        return { ...snapshot, ...withMachine(neverStarted(vm), live), domain: { kind: 'Absent' } };
      case 'InPlace': {
        const placed = placedHere(vm);
        return {
          ...snapshot,
          ...withMachine(placed, live),
          domain: { kind: 'Present', domain: domainOf(placed, seen) },
        };
      }
    }
  });

function withMachine(vm: VirtualMachine, live: boolean): Pick<Snapshot, 'cached' | 'live'> {
  return { cached: vm, live: live ? { kind: 'Found', vm } : { kind: 'NotAsked' } };
}

function placedHere(vm: VirtualMachine): VirtualMachine {
  const { granted = grantedFor(vm), placement, ...status } = vm.status ?? {};
  const here = placementOn('hv1', placement === undefined ? {} : { epoch: placement.epoch });
  return { ...vm, status: { ...status, granted, placement: here } };
}

function neverStarted(vm: VirtualMachine): VirtualMachine {
  const { instance: _none, granted = grantedFor(vm), ...status } = vm.status ?? {};
  return { ...vm, status: { ...status, granted: { ...granted, powerState: 'Running' } } };
}
