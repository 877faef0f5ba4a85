// What the daemon promises of every plan, over everything it could ever see.
import { expect } from 'chai';
import fc from 'fast-check';
import { wasDeclaredPaused } from '#crds/derive/declared-pause.ts';
import { currentInstance, epochIsOver } from '#crds/derive/epoch.ts';
import { STATE_UNKNOWN } from '#crds/derive/verdict.ts';
import { limitsOf } from '#crds/resources.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { arbitraryOwnedSnapshot, arbitrarySnapshot } from '#test/builders/arbitrary-snapshot.ts';
import { domainOf } from '#test/builders/domain.ts';
import { timeAfter } from '#test/builders/time.ts';
import { isEndMidway, type Report, type Step } from './actions.ts';
import { type DomainMemory, nothingRemembered, rememberEnded, rememberEndTold } from './memory.ts';
import { planDomain } from './plan.ts';
import type { Snapshot } from './snapshot.ts';
import { statusAfter } from './status.ts';

const RUNS = { numRuns: 6000 };

function stepOf(snapshot: Snapshot): Step | undefined {
  const plan = planDomain(snapshot);
  return plan.kind === 'Act' ? plan.step : undefined;
}

function machineOf({ live, cached }: Snapshot): VirtualMachine | undefined {
  return live.kind === 'Found' ? live.vm : cached;
}

const allSteps: readonly Step['kind'][] = [
  'Start',
  'Restore',
  'Hibernate',
  'DiscardImage',
  'Pause',
  'Resume',
  'PullPlug',
  'AskShutdown',
  'Undefine',
  'Confirm',
];

/** A property that hardly ever applies shows nothing. */
const AT_LEAST = 20;

/** Holds for every snapshot that leads to one of these steps. */
function whenever(
  kinds: readonly Step['kind'][],
  holds: (snapshot: Snapshot, vm: VirtualMachine, step: Step) => void,
): void {
  let count = 0;
  fc.assert(
    fc.property(arbitraryOwnedSnapshot, (snapshot) => {
      const step = stepOf(snapshot);
      if (step === undefined || !kinds.includes(step.kind)) return;
      count += 1;
      expect(snapshot.live.kind).to.equal('Found');
      if (snapshot.live.kind === 'Found') holds(snapshot, snapshot.live.vm, step);
    }),
    RUNS,
  );
  expect(count, 'how often it was so').to.be.at.least(AT_LEAST);
}

/** Holds for every snapshot that leads to such a report. */
function wheneverTold(applies: (report: Report) => boolean, holds: (snapshot: Snapshot, report: Report) => void): void {
  let count = 0;
  fc.assert(
    fc.property(arbitraryOwnedSnapshot, (snapshot) => {
      const plan = planDomain(snapshot);
      if (plan.kind !== 'Report' || !applies(plan.report)) return;
      count += 1;
      holds(snapshot, plan.report);
    }),
    RUNS,
  );
  expect(count, 'how often it was so').to.be.at.least(AT_LEAST);
}

describe('whatever the daemon sees of a guest', () => {
  it('it starts only what was granted and decided, on a permission that is its own, unused and in time', () => {
    whenever(['Start'], ({ self, leaseValid, room }, { metadata, status }, step) => {
      const powerState = step.kind === 'Start' && step.paused === true ? 'Paused' : 'Running';
      expect(status?.granted).to.include({ powerState, generation: metadata.generation });
      expect(status?.placement).to.include({ hypervisor: self.name, hypervisorUID: self.uid });
      expect(epochIsOver(status)).to.equal(false);
      expect(leaseValid).to.equal(true);
      expect(room.fits).to.equal(true);
      expect(metadata.deletionTimestamp).to.equal(undefined);
    });
  });

  it('it starts nothing that has a process', () => {
    whenever(['Start'], ({ domain }) => {
      if (domain.kind === 'Present') expect(domain.domain.powerState).to.be.oneOf(['ShutOff', 'Crashed']);
    });
  });

  it('it stops and removes only what a live read shows deleted, declared stopped, or moved on under a higher epoch', () => {
    whenever(['PullPlug', 'AskShutdown', 'Undefine'], ({ self, domain }, { metadata, status }) => {
      const deleted = metadata.deletionTimestamp !== undefined;
      const here = status?.placement?.hypervisor === self.name;
      const epoch = domain.kind === 'Present' ? (domain.domain.metadata?.epoch ?? Number.NaN) : Number.NaN;
      const movedOn = !here && (status?.placement?.epoch ?? 0) > epoch;
      const declaredStopped = here && status?.granted?.powerState === 'Stopped';
      expect((here && deleted) || declaredStopped || movedOn).to.equal(true);
    });
  });

  it('it pauses only what is declared so, and resumes only what is to stop, or what it paused by declaration', () => {
    whenever(['Pause'], (_snapshot, { metadata, status }) => {
      expect(metadata.deletionTimestamp).to.equal(undefined);
      expect(status?.granted?.powerState).to.equal('Paused');
    });
    whenever(['Resume'], ({ memory }, { metadata, status }) => {
      const stops = metadata.deletionTimestamp !== undefined || status?.granted?.powerState === 'Stopped';
      if (stops) expect(memory.stop).to.include({ withdrawn: false, resumed: false });
      else expect([status?.granted?.powerState, wasDeclaredPaused(status ?? {})]).to.deep.equal(['Running', true]);
    });
  });

  it('it hibernates only what is declared so, and that never by force', () => {
    whenever(['Hibernate'], ({ domain }, { metadata, status }) => {
      expect(metadata.deletionTimestamp).to.equal(undefined);
      expect(status?.granted?.powerState).to.equal('Hibernated');
      expect(domain).to.have.nested.property('domain.powerState').that.is.oneOf(['Running', 'Paused']);
    });
  });

  it('it restores only what was granted and decided, under the permission that the image bears, in time and with room', () => {
    whenever(['Restore'], ({ domain, leaseValid, room }, { metadata, status }, step) => {
      const powerState = step.kind === 'Restore' && step.paused === true ? 'Paused' : 'Running';
      expect(status?.granted).to.include({ powerState, generation: metadata.generation });
      expect(domain).to.have.nested.property('domain.hasImage', true);
      expect(domain).to.have.nested.property('domain.metadata.epoch', status?.placement?.epoch);
      expect([epochIsOver(status), leaseValid, room.fits]).to.deep.equal([false, true, true]);
      expect(metadata.deletionTimestamp).to.equal(undefined);
    });
  });

  it('it removes what is kept only where it is declared Stopped, or belongs to a permission that is past', () => {
    whenever(['DiscardImage'], ({ domain }, { status }) => {
      const epoch = domain.kind === 'Present' ? domain.domain.metadata?.epoch : undefined;
      const isPast = epoch !== status?.placement?.epoch || epochIsOver(status);
      expect(status?.granted?.powerState === 'Stopped' || isPast).to.equal(true);
    });
  });

  it('it builds no guest anew while the memory of one is kept', () => {
    whenever(['Start'], ({ domain }) => {
      if (domain.kind === 'Present') expect(domain.domain.hasImage).to.equal(undefined);
    });
  });

  it('it says Hibernated only of a guest whose memory is kept under its permission', () => {
    wheneverTold(
      ({ powerState, fault }) => powerState === 'Hibernated' && fault?.code !== 'DiscardFailed',
      (snapshot) => {
        expect(snapshot.domain).to.have.nested.property('domain.hasImage', true);
        const epoch = machineOf(snapshot)?.status?.placement?.epoch;
        expect(snapshot.domain).to.have.nested.property('domain.metadata.epoch', epoch);
      },
    );
  });

  it('it removes no guest that has a process', () => {
    whenever(['Undefine'], ({ domain }) => {
      expect(domain).to.have.nested.property('domain.powerState').that.is.oneOf(['ShutOff', 'Crashed']);
    });
  });

  it('it does nothing to a guest that bears no marks of ours', () => {
    whenever(allSteps, ({ domain }) => {
      if (domain.kind === 'Present') expect(domain.domain.metadata).not.to.equal(undefined);
    });
  });

  it('it does nothing to a copy of a guest, marks and all', () => {
    fc.assert(
      fc.property(arbitrarySnapshot, (snapshot) => {
        if (snapshot.domain.kind !== 'Present') return;
        const copy = { ...snapshot.domain.domain, uuid: '00000000-0000-4000-8000-000000000000' };
        const plan = planDomain({ ...snapshot, cached: undefined, domain: { kind: 'Present', domain: copy } });
        expect(plan.kind).to.be.oneOf(['Nothing', 'Verify', 'Orphaned']);
      }),
    );
  });

  it('it does nothing while the hypervisor does not answer', () => {
    fc.assert(
      fc.property(arbitrarySnapshot, (snapshot) => {
        const plan = planDomain({ ...snapshot, domain: { kind: 'Unknown', why: 'It does not answer.' } });
        expect(plan.kind).to.equal('Nothing');
      }),
    );
  });

  it('it does nothing to a guest whose VM is gone, and reports none', () => {
    fc.assert(
      fc.property(arbitrarySnapshot, (snapshot) => {
        const { kind } = planDomain({ ...snapshot, live: { kind: 'Gone' } });
        expect(kind).to.be.oneOf(['Nothing', 'Orphaned']);
      }),
    );
  });

  it('it does nothing on the word of a cache', () => {
    fc.assert(
      fc.property(arbitrarySnapshot, (snapshot) => {
        expect(planDomain({ ...snapshot, live: { kind: 'NotAsked' } }).kind).not.to.equal('Act');
      }),
    );
  });

  it('it asks the API server only when it has not', () => {
    fc.assert(
      fc.property(arbitrarySnapshot, (snapshot) => {
        if (planDomain(snapshot).kind === 'Verify') expect(snapshot.live.kind).to.equal('NotAsked');
      }),
      RUNS,
    );
  });

  it('it gives up a permission only for a guest that has no process, or was let go with its VM', () => {
    const givesUp = ({ powerState }: Report) => ['Stopped', 'Refused', 'Absent'].includes(powerState);
    wheneverTold(givesUp, (snapshot, { powerState }) => {
      const vm = machineOf(snapshot);
      expect(vm?.status?.placement?.hypervisor).to.equal(snapshot.self.name);
      if (snapshot.domain.kind !== 'Present') return;
      const { domain } = snapshot.domain;
      const isLetGo = vm?.metadata.deletionTimestamp !== undefined && vm.spec.deletionPolicy === 'Release';
      if (isLetGo && powerState === 'Absent' && domain.hasImage !== true) expect(domain.metadata).to.equal(undefined);
      else expect(domain.powerState).to.be.oneOf(['ShutOff', 'Crashed']);
    });
  });

  it('it shares CPU time out anew only for a guest of ours that runs here and should, as was granted', () => {
    let times = 0;
    fc.assert(
      fc.property(arbitraryOwnedSnapshot, (given) => {
        const vm = machineOf(given);
        if (vm?.status?.granted === undefined || vm.status.placement === undefined) return;
        const limits = { kind: 'Seen', limits: { cpuShares: 7 } } as const;
        const domain = { kind: 'Present', domain: domainOf(vm) } as const;
        const snapshot: Snapshot = { ...given, live: { kind: 'Found', vm }, domain, limits, memory: nothingRemembered };
        const step = stepOf(snapshot);
        if (step?.kind !== 'SetLimits') return;
        times += 1;
        const { metadata, status } = vm;
        expect([status.placement?.hypervisor, metadata.deletionTimestamp]).to.deep.equal([given.self.name, undefined]);
        expect(status.granted?.powerState).to.equal('Running');
        expect(step.limits).to.deep.equal(limitsOf(vm.status.granted.resources));
      }),
      RUNS,
    );
    expect(times).to.be.at.least(AT_LEAST);
  });

  it('it lets go only of a guest whose VM is being deleted and says so, and never ends such a one', () => {
    whenever(['Release', 'AskShutdown', 'PullPlug', 'Undefine'], (snapshot, { metadata, spec, status }, { kind }) => {
      const isLetGo = metadata.deletionTimestamp !== undefined && spec.deletionPolicy === 'Release';
      if (status?.placement?.hypervisor !== snapshot.self.name) return;
      expect(kind === 'Release').to.equal(isLetGo);
    });
  });

  it('it says Running only of a guest that runs, unless it adds that this is not known any more', () => {
    const runs = ({ powerState, fault }: Report) => powerState === 'Running' && fault?.code !== STATE_UNKNOWN;
    wheneverTold(runs, ({ domain }) => {
      expect(domain).to.have.nested.property('domain.powerState', 'Running');
    });
  });

  it('it says Paused only of a guest that stands still, unless it adds that this is not known any more', () => {
    const isPaused = ({ powerState, fault }: Report) => powerState === 'Paused' && fault?.code !== STATE_UNKNOWN;
    wheneverTold(isPaused, ({ domain }) => {
      expect(domain).to.have.nested.property('domain.powerState').that.is.oneOf(['Paused', 'Saving']);
    });
  });

  it('it has nothing more to tell once it has told; at most how the guest ended, and then why it is not started', () => {
    fc.assert(
      fc.property(arbitraryOwnedSnapshot, (given) => {
        // What could not be told yet comes first, whatever is seen by now.
        const snapshot = given.memory.ended?.told === false ? toldAfter(given, timeAfter(30)) : given;
        fc.pre(!contradictsItself(given) && !contradictsItself(snapshot));
        const once = toldAfter(snapshot, timeAfter(60));
        const twice = toldAfter(once, timeAfter(120));
        const endIsNew = snapshot.memory.ended === undefined;
        if (endIsNew) expect(machineOf(twice)?.status).to.deep.equal(machineOf(once)?.status);
        expect(machineOf(toldAfter(twice, timeAfter(180)))?.status).to.deep.equal(machineOf(twice)?.status);
      }),
      RUNS,
    );
  });

  it('it reports under the current epoch and the generation that was granted', () => {
    wheneverTold(
      () => true,
      (snapshot, report) => {
        const vm = machineOf(snapshot);
        if (vm === undefined) throw new Error('a report on nothing');
        const status = statusAfter(report, { vm, snapshot, time: timeAfter(60) });
        expect(currentInstance(status)).to.include({
          epoch: vm.status?.placement?.epoch,
          generation: vm.status?.granted?.generation,
          powerState: report.powerState,
        });
      },
    );
  });
});

/** Of a guest that powered itself off nobody ever told that it had crashed or was missing. */
function contradictsItself(snapshot: Snapshot): boolean {
  const { instance, lastTermination } = machineOf(snapshot)?.status ?? {};
  const toldOtherwise = instance?.powerState === 'Missing' || instance?.powerState === 'Crashed';
  return toldOtherwise && lastTermination?.reason === 'StoppedByGuest';
}

/** The same sight after what it makes the daemon tell was written. */
function toldAfter(snapshot: Snapshot, time: string): Snapshot {
  const vm = machineOf(snapshot);
  const plan = planDomain(snapshot);
  if (plan.kind !== 'Report' || vm === undefined) return snapshot;
  const told = { ...vm, status: statusAfter(plan.report, { vm, snapshot, time }) };
  return {
    ...snapshot,
    memory: memoryAfter(snapshot, plan.report),
    cached: told,
    live: snapshot.live.kind === 'Found' ? { kind: 'Found', vm: told } : snapshot.live,
  };
}

function memoryAfter({ memory, now }: Snapshot, report: Report): DomainMemory {
  const { termination } = report;
  if (termination === undefined || !isEndMidway(report)) return memory;
  return rememberEndTold(rememberEnded(memory, now, { termination, told: true }));
}
