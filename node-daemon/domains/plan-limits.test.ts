import { expect } from 'chai';
import type { Resources } from '#crds/v1alpha1/virtual-machine-spec.ts';
import { domainOf, domainOff, domainSnapshot, type SnapshotChanges } from '#test/builders/domain.ts';
import { planText } from '#test/builders/plan-text.ts';
import { timeAfter } from '#test/builders/time.ts';
import { placedMachine, runningMachine } from '#test/builders/virtual-machine.ts';
import { planDomain } from './plan.ts';
import { statusAfter } from './status.ts';

const NOW = 1_000_000;
const LIMITED: Partial<Resources> = { cpuLimit: '500m' };
const seen = (cpuLimitMillis?: number): SnapshotChanges => ({
  limits: { kind: 'Seen', limits: { cpuShares: 1024, ...(cpuLimitMillis === undefined ? {} : { cpuLimitMillis }) } },
});
const UNSUPPORTED: SnapshotChanges = { limits: { kind: 'Unsupported', why: 'there is no cgroup' } };

function running(resources: Partial<Resources> = LIMITED) {
  return runningMachine({ spec: { resources: { cpus: 1, memory: '1Gi', ...resources } } });
}

function planned(changes: SnapshotChanges, vm = running()): string {
  return planText(planDomain(domainSnapshot({ live: vm, domain: domainOf(vm), now: NOW, ...changes })));
}

describe('the CPU time of a guest that runs', () => {
  const failed = (failedAt: number): SnapshotChanges => ({
    memory: { restarts: 0, failedStep: { kind: 'SetLimits', times: 1, failedAt, why: 'it is locked' } },
  });

  const table: [string, string, string][] = [
    ['is shared out as was granted', planned(seen()), 'SetLimits'],
    ['is shared out anew where somebody changed it', planned(seen(100)), 'SetLimits'],
    ['is left alone where that is so', planned(seen(500)), 'tell Running'],
    ['is shared out as with any guest once nothing is granted', planned(seen(500), running({})), 'SetLimits'],
    ['is not touched before somebody could look', planned({ limits: { kind: 'Unknown' } }), 'tell Running'],
    ['is told not to be as granted where that cannot be', planned(UNSUPPORTED), 'tell Running (GuaranteesNotKept)'],
    ['is as granted where that cannot be, and nothing was', planned(UNSUPPORTED, running({})), 'tell Running'],
    [
      'is told not to be as granted while that fails, and tried again',
      planned({ ...seen(), ...failed(NOW - 1_000) }),
      'tell Running (GuaranteesNotKept), again in 4 s',
    ],
    ['is tried again when the pause is over', planned({ ...seen(), ...failed(NOW - 6_000) }), 'SetLimits'],
    [
      'is changed on the word of a live read alone',
      planned({ ...seen(), cached: running(), live: undefined }),
      'verify',
    ],
  ];
  for (const [title, plan, expected] of table) {
    it(title, () => expect(plan).to.equal(expected));
  }

  it('is told as the hypervisor says', () => {
    const vm = running({ cpuShares: 2048, cpuLimit: '0.5' });
    const told = (changes: SnapshotChanges) =>
      statusAfter(
        { powerState: 'Running' },
        { vm, snapshot: domainSnapshot({ domain: domainOf(vm), ...changes }), time: timeAfter(1) },
      ).instance?.resources;
    const size = { cpus: 1, memory: '1Gi' };
    const limits = { kind: 'Seen', limits: { cpuShares: 2048, cpuLimitMillis: 500 } } as const;
    expect(told({ limits })).to.deep.equal({ ...size, cpuShares: 2048, cpuLimit: '500m' });
    expect(told(UNSUPPORTED)).to.deep.equal(size);
    expect(told(seen())).to.deep.equal(size);
  });

  it('needs no restart to change, and is not ready while it is not as granted', () => {
    const vm = running();
    const snapshot = domainSnapshot({ live: vm, domain: domainOf(vm), ...UNSUPPORTED });
    const plan = planDomain(snapshot);
    if (plan.kind !== 'Report') throw new Error(plan.kind);
    const status = statusAfter(plan.report, { vm, snapshot, time: timeAfter(1) });
    expect(status.pendingChanges).to.equal(undefined);
    expect(status.phase).to.equal('Running');
    const ready = status.conditions?.find(({ type }) => type === 'Ready');
    expect(ready).to.include({ status: 'False', reason: 'GuaranteesNotKept' });
    expect(ready?.message).to.include('there is no cgroup').and.to.include('To have it placed where that can be kept');
    expect(status.conditions?.some(({ type }) => type === 'Stalled')).to.equal(true);
  });
});

describe('a hibernated guest with guarantees', () => {
  const SHARED = { cpus: 1, memory: '1Gi', cpuReservation: '500m', cpuLimit: '1' } as const;
  const asleep = (granted: Partial<Resources>) => {
    const resources = { ...SHARED, ...granted };
    const vm = placedMachine({ spec: { powerState: 'Running', resources } });
    const bears = domainOf(placedMachine({ spec: { resources: SHARED } })).metadata;
    if (bears === undefined) throw new Error('it bears nothing');
    return { vm, domain: domainOff(vm, 'Saved', { hasImage: true, metadata: { payload: bears.payload } }) };
  };

  it('is told what it goes on with', () => {
    const { vm, domain } = asleep({});
    const telling = { vm, snapshot: domainSnapshot({ domain }), time: timeAfter(1) };
    const told = statusAfter({ powerState: 'Hibernated' }, telling).instance?.resources;
    expect(told).to.deep.equal({ ...SHARED, cpuShares: 5120 });
  });

  it('takes what was reserved for it before, or what is by now, whichever is more', () => {
    for (const [cpuReservation, cpuMillis] of [
      ['250m', 500],
      ['500m', 500],
      ['1', 1000],
    ] as const) {
      const { vm, domain } = asleep({ cpuReservation });
      const plan = planDomain(domainSnapshot({ live: vm, domain }));
      expect(plan).to.have.nested.property('step.kind', 'Restore');
      expect(plan).to.have.nested.property('step.amount.guaranteed.cpuMillis', cpuMillis);
    }
  });
});
