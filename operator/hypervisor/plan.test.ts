import { expect } from 'chai';
import { findCondition } from '#crds/conditions.ts';
import type { Condition } from '#crds/v1alpha1/fragments.ts';
import type { Hypervisor } from '#crds/v1alpha1/hypervisor.ts';
import { hypervisorKind } from '#crds/v1alpha1/hypervisor.ts';
import { validatorFor } from '#crds/validate.ts';
import { condition } from '#test/builders/condition.ts';
import { hypervisor } from '#test/builders/hypervisor.ts';
import { TIME, timeAfter } from '#test/builders/time.ts';
import { acceptanceRule } from './acceptance.ts';
import { isNews, planHypervisor, type Snapshot, toldSilentSince } from './plan.ts';
import { statusAfter } from './status.ts';

const SINCE = timeAfter(-60);
const said = (type: string, status: Condition['status'], reason: string) =>
  condition(type, status, { reason, observedGeneration: 1 });
const NEW = hypervisor({ status: { conditions: [] } });

const acceptance = acceptanceRule('Automatic');

function planned(given: Hypervisor, silentSince?: string, changes: Partial<Snapshot> = {}): string {
  const plan = planHypervisor({ hypervisor: given, silentSince, acceptance, hold: undefined, ...changes });
  const told = plan.conditions;
  return told.map(({ type, status, reason }) => `${type}=${status} ${reason}`).join(', ');
}

describe('what the operator says of a hypervisor', () => {
  const edited = hypervisor({ metadata: { generation: 2 }, spec: { scanIntervalSeconds: 60 } });
  const cordoned = { spec: { unschedulable: true } };
  const silent = hypervisor({
    status: {
      conditions: [
        said('Accepted', 'True', 'Allowed'),
        said('Schedulable', 'False', 'Silent'),
        said('Ready', 'Unknown', 'Silent'),
      ],
    },
  });

  const spoken = hypervisor({
    status: {
      conditions: [
        said('Accepted', 'True', 'Allowed'),
        said('Schedulable', 'False', 'Silent'),
        said('Ready', 'True', 'Operational'),
      ],
    },
  });

  const cutOff = hypervisor({
    status: {
      conditions: [
        said('Accepted', 'True', 'Allowed'),
        said('Schedulable', 'True', 'Open'),
        said('DriverConnected', 'False', 'Unreachable'),
      ],
    },
  });

  const table: [string, string, string][] = [
    ['is that it may join and be used', planned(NEW), 'Accepted=True Allowed, Schedulable=True Open'],
    ['is nothing once that was said', planned(hypervisor()), ''],
    ['is that it is closed when it was cordoned', planned(hypervisor(cordoned)), 'Schedulable=False Cordoned'],
    ['is that it is not heard', planned(hypervisor(), SINCE), 'Schedulable=False Silent, Ready=Unknown Silent'],
    [
      'is that it was cordoned rather than that it is not heard',
      planned(hypervisor(cordoned), SINCE),
      'Schedulable=False Cordoned, Ready=Unknown Silent',
    ],
    ['is nothing more while it stays silent', planned(silent, SINCE), ''],
    ['is said again of a new spec', planned(edited), 'Accepted=True Allowed, Schedulable=True Open'],
    [
      'is that it is closed while it does not answer its daemon',
      planned(cutOff),
      'Schedulable=False DriverDisconnected',
    ],
    ['is that it is open once its daemon has spoken again', planned(spoken), 'Schedulable=True Open'],
  ];
  for (const [title, told, expected] of table) {
    it(title, () => expect(told).to.equal(expected));
  }

  it('is that nothing is placed there while the site is on hold, whatever else is so', () => {
    const hold = { id: 'h1', phase: 'Waiting' } as const;
    expect(planned(hypervisor(cordoned), SINCE, { hold })).to.equal(
      'Schedulable=False SiteOnHold, Ready=Unknown Silent',
    );
  });

  it('is which hold there is, and that it is over where the daemon would not believe us before', () => {
    const told = (given: Hypervisor, hold: Snapshot['hold']) => {
      const plan = planHypervisor({ hypervisor: given, silentSince: undefined, acceptance, hold });
      return [plan.hold, isNews(plan, given)];
    };
    const held = { id: 'h1', state: 'Held' } as const;
    const doubting = hypervisor({ status: { hold: held, controlPlane: { uid: 'c2', doubt: 'Foreign' } } });
    expect(told(hypervisor(), { id: 'h1', phase: 'Recreating' })).to.deep.equal([held, true]);
    expect(told(doubting, { id: 'h1', phase: 'Over' })).to.deep.equal([{ id: 'h1', state: 'Over' }, true]);
    expect(told(hypervisor({ status: { hold: held } }), { id: 'h1', phase: 'Over' })[0]).to.equal(undefined);
    expect(told(hypervisor(), undefined)).to.deep.equal([undefined, false]);
    expect(statusAfter({ conditions: [], hold: undefined }, doubting, TIME)).not.to.have.property('hold');
  });

  it('is written beside what the daemon says, which stays', () => {
    const plan = planHypervisor({ hypervisor: hypervisor(), silentSince: SINCE, acceptance, hold: undefined });
    const status = statusAfter(plan, hypervisor(), TIME);
    expect(status.allocatable).to.deep.equal(hypervisor().status?.allocatable);
    expect(findCondition(status.conditions, 'DriverConnected')?.status).to.equal('True');
    expect(findCondition(status.conditions, 'Ready')?.message).to.equal(
      `Its daemon has been silent since ${SINCE}. Guests may be running; nothing is done to them.`,
    );
    const verdict = validatorFor(hypervisorKind)({ ...hypervisor(), status });
    expect(verdict.valid ? [] : verdict.errors).to.deep.equal([]);
  });

  it('is known to the next operator: since when it was told silent', () => {
    expect(toldSilentSince(silent.status)).to.equal(TIME);
    expect(toldSilentSince(hypervisor().status)).to.equal(undefined);
    expect(toldSilentSince(undefined)).to.equal(undefined);
  });
});
