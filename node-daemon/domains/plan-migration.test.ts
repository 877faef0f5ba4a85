import { expect } from 'chai';
import { domainOf, domainOff, domainSnapshot, type SnapshotChanges } from '#test/builders/domain.ts';
import { type MovingChanges, movingMachine } from '#test/builders/migration.ts';
import { planText } from '#test/builders/plan-text.ts';
import { TIME, timeAfter } from '#test/builders/time.ts';
import { uuidFor } from '#test/builders/uuid.ts';
import type { DomainPowerState } from '../hypervisor/driver.ts';
import type { OwnMove } from './moves.ts';
import { planDomain } from './plan.ts';
import type { MoveSeen } from './snapshot.ts';

const HV2 = { name: 'hv2', uid: uuidFor('hv2'), bootID: uuidFor('boot of hv2') };
const LONG = 60_000;
const ABORT = { step: 'Abort', reason: 'It took too long.' } as const;
const PROGRESS = { processedBytes: 1, remainingBytes: 1, totalBytes: 2, iteration: 1 };
const ANNOUNCED: OwnMove = { attempt: 1, kind: 'Announced' };
const UNDERWAY: OwnMove = { attempt: 1, kind: 'Underway' };
const FAILED: OwnMove = { attempt: 1, kind: 'Ended', reason: 'It could not be moved.' };

interface Given {
  readonly vm: MovingChanges;
  /** Left out: there is none. */
  readonly guest?: DomainPowerState;
  readonly move?: Partial<MoveSeen>;
  readonly changes?: SnapshotChanges;
}

function planned({ vm: changes, guest, move = {}, changes: others = {} }: Given, self: 'hv1' | 'hv2'): string {
  const vm = movingMachine(changes);
  const off = guest === 'ShutOff' ? domainOff(vm, 'Migrated') : undefined;
  const domain = guest === undefined ? undefined : (off ?? domainOf(vm, { powerState: guest }));
  const seen = { progress: undefined, own: undefined, unchangedFor: 0, obstacle: undefined, ...move };
  const here = self === 'hv2' ? { self: HV2 } : {};
  return planText(planDomain(domainSnapshot({ live: vm, domain, move: seen, ...here, ...others })));
}

type Row = readonly [title: string, given: Given, expected: string];

describe('a guest that is to move from here', () => {
  const moving = { source: 'Moving', target: 'Ready' } as const;
  const late = { wallTime: Date.parse(timeAfter(6)) };
  const table: readonly Row[] = [
    ['is looked after as ever before the other side has answered', { vm: {}, guest: 'Running' }, 'tell Running'],
    [
      'is told to move once the other side is ready',
      { vm: { target: 'Ready' }, guest: 'Running' },
      'tell source Moving, again in 0.001 s',
    ],
    ['is not, once that is given up', { vm: { target: 'Ready', plan: ABORT }, guest: 'Running' }, 'tell Running'],
    [
      'is not, while the Lease of this node is not valid',
      { vm: { target: 'Ready' }, guest: 'Running', changes: { leaseValid: false } },
      'tell Running',
    ],
    [
      'is not, where it is being deleted',
      { vm: { target: 'Ready', metadata: { deletionTimestamp: TIME } }, guest: 'Running' },
      'AskShutdown',
    ],
    ['is not, where it ended before', { vm: { target: 'Ready' }, guest: 'ShutOff' }, 'tell Missing after MovedAway'],
    [
      'is not, while the site is on hold',
      { vm: { target: 'Ready' }, guest: 'Running', changes: { hold: 'Held' } },
      'tell Running',
    ],
    [
      'does not begin while the site is on hold, though that was told',
      { vm: moving, guest: 'Running', move: { own: ANNOUNCED }, changes: { hold: 'Held' } },
      'nothing, again in 30 s',
    ],
    ['moves once that was told', { vm: moving, guest: 'Running', move: { own: ANNOUNCED } }, 'Migrate'],
    [
      'does not, where that is given up meanwhile',
      { vm: { ...moving, plan: ABORT }, guest: 'Running', move: { own: ANNOUNCED } },
      'tell source Stayed',
    ],
    [
      'is waited for while the hypervisor is at it',
      { vm: moving, guest: 'Running', move: { own: UNDERWAY, progress: PROGRESS } },
      'nothing, again in 1 s',
    ],
    [
      'is told how far it is, every five seconds',
      { vm: moving, guest: 'Running', move: { own: UNDERWAY, progress: PROGRESS }, changes: late },
      'tell source Moving, again in 1 s',
    ],
    [
      'is given up when that is asked',
      { vm: { ...moving, plan: ABORT }, guest: 'Running', move: { progress: PROGRESS } },
      'AbortMigration',
    ],
    [
      'has stayed when the call has failed',
      { vm: moving, guest: 'Running', move: { own: FAILED } },
      'tell source Stayed',
    ],
    [
      'may have begun to move for a daemon that has died since',
      { vm: moving, guest: 'Running' },
      'nothing, again in 1 s',
    ],
    [
      'has stayed when nothing comes of that',
      { vm: moving, guest: 'Running', move: { unchangedFor: LONG } },
      'tell source Stayed',
    ],
    [
      'is being handed over while the hypervisor is at it',
      { vm: moving, guest: 'Outgoing', move: { progress: PROGRESS } },
      'nothing, again in 1 s',
    ],
    ['is held where it stands still and nobody is at it', { vm: moving, guest: 'Outgoing' }, 'tell source Held'],
    [
      'is not taken back before the other side has answered',
      { vm: { source: 'Held', target: 'Ready', plan: ABORT }, guest: 'Outgoing', move: { unchangedFor: LONG } },
      'nothing, again in 1 s',
    ],
    [
      'is not taken back where it runs on the other side',
      { vm: { source: 'Held', target: 'Running' }, guest: 'Outgoing', move: { unchangedFor: LONG } },
      'nothing, again in 1 s',
    ],
    [
      'is taken back where the other side says that it does not run there',
      { vm: { source: 'Held', target: 'Absent', plan: ABORT }, guest: 'Outgoing' },
      'TakeBack',
    ],
    [
      'is not taken back on the word of a cache',
      {
        vm: { source: 'Held', target: 'Absent', plan: ABORT },
        guest: 'Outgoing',
        changes: { live: undefined, cached: movingMachine({ source: 'Held', target: 'Absent', plan: ABORT }) },
      },
      'verify',
    ],
    [
      'has stayed when it was taken back',
      { vm: { source: 'Held', target: 'Absent', plan: ABORT }, guest: 'Running', move: { unchangedFor: LONG } },
      'tell source Stayed',
    ],
    ['is never Missing when it is off', { vm: moving, guest: 'ShutOff' }, 'nothing, again in 1 s'],
    [
      'is gone when it has been off for a while',
      { vm: moving, guest: 'ShutOff', move: { unchangedFor: LONG } },
      'tell source Gone',
    ],
    ['is never Missing when it is not there', { vm: moving }, 'nothing, again in 1 s'],
    [
      'is gone when it has not been there for a while',
      { vm: moving, move: { unchangedFor: LONG } },
      'tell source Gone',
    ],
    [
      'is never started anew',
      { vm: { source: 'Gone', target: 'Ready' }, move: { unchangedFor: LONG } },
      'nothing, again in 1 s',
    ],
    [
      'is looked after as ever once it has stayed',
      { vm: { ...moving, source: 'Stayed' }, guest: 'Running' },
      'tell Running',
    ],
    [
      'is looked after as ever once that is closed',
      { vm: { source: 'Moving', target: 'Ready', verdict: 'Failed' }, guest: 'Running' },
      'tell Running',
    ],
    ['is nobody’s to end where its state is not known', { vm: moving, guest: 'Unknown' }, 'nothing, again in 1 s'],
  ];
  for (const [title, given, expected] of table) {
    it(title, () => expect(planned(given, 'hv1')).to.equal(expected));
  }
});

describe('a guest that is to move here', () => {
  const both = { source: 'Moving', target: 'Ready' } as const;
  const held = { source: 'Held', target: 'Ready', plan: ABORT } as const;
  const table: readonly Row[] = [
    ['is welcome where there is room and all that it needs', { vm: {} }, 'tell target Ready, again in 1 s'],
    [
      'is refused where there is no room',
      { vm: {}, changes: { room: { fits: false, reason: 'No.' } } },
      'tell target Refused, again in 1 s',
    ],
    [
      'is refused where something is missing',
      { vm: {}, move: { obstacle: 'no' } },
      'tell target Refused, again in 1 s',
    ],
    [
      'is refused where it was meant for another machine of this name',
      { vm: { plan: { targetUID: uuidFor('another') } } },
      'tell target Refused, again in 1 s',
    ],
    [
      'is not answered while the Lease is not valid',
      { vm: {}, changes: { leaseValid: false } },
      'nothing, again in 1 s',
    ],
    ['is not answered while the site is on hold', { vm: {}, changes: { hold: 'Held' } }, 'nothing, again in 30 s'],
    [
      'is refused where one of its uuid runs already',
      { vm: {}, guest: 'Running' },
      'tell target Refused, again in 1 s',
    ],
    ['has its leftover from an earlier time removed first', { vm: {}, guest: 'ShutOff' }, 'Undefine'],
    ['is waited for', { vm: { target: 'Ready' } }, 'nothing, again in 5 s'],
    ['is left alone while it comes in', { vm: both, guest: 'Incoming' }, 'nothing, again in 5 s'],
    [
      'is left alone while it comes in, though that is given up: the other side sends still',
      { vm: { ...both, plan: ABORT }, guest: 'Incoming', move: { unchangedFor: LONG } },
      'nothing, again in 5 s',
    ],
    ['has arrived when it runs', { vm: both, guest: 'Running' }, 'tell target Running, again in 1 s'],
    [
      'has arrived when it runs, though that was given up',
      { vm: held, guest: 'Running' },
      'tell target Running, again in 1 s',
    ],
    ['has arrived, and was paused by somebody', { vm: both, guest: 'Paused' }, 'tell target Running, again in 1 s'],
    ['is not called absent while the other side may send', { vm: { ...both, plan: ABORT } }, 'nothing, again in 5 s'],
    ['is called absent once the other side has stopped', { vm: held }, 'tell target Absent, again in 1 s'],
    [
      'is called absent once the other side has it no more',
      { vm: { ...held, source: 'Gone' } },
      'tell target Absent, again in 1 s',
    ],
    [
      'may yet be received whole',
      { vm: held, guest: 'Incoming', move: { unchangedFor: 9_000 } },
      'nothing, again in 5 s',
    ],
    [
      'is ended where it was never received whole',
      { vm: held, guest: 'Incoming', move: { unchangedFor: 10_000 } },
      'PullPlug',
    ],
    ['is removed where it has ended', { vm: { ...held, target: 'Running' }, guest: 'ShutOff' }, 'Undefine'],
    [
      'is absent where it has ended after it had arrived',
      { vm: { source: 'Gone', target: 'Running' } },
      'tell target Absent, again in 1 s',
    ],
    [
      'is left over where that was closed: what was half received goes',
      { vm: { ...both, verdict: 'Failed' }, guest: 'Incoming', move: { unchangedFor: 10_000 } },
      'PullPlug',
    ],
    [
      'is left over where that was closed: what is off goes',
      { vm: { ...both, verdict: 'Failed' }, guest: 'ShutOff' },
      'Undefine',
    ],
    [
      'is told of and never ended where it runs though that was closed',
      { vm: { ...both, verdict: 'Failed' }, guest: 'Running' },
      'orphaned',
    ],
    ['is of no interest where that was closed and nothing is here', { vm: { verdict: 'Failed' } }, 'nothing'],
  ];
  for (const [title, given, expected] of table) {
    it(title, () => expect(planned(given, 'hv2')).to.equal(expected));
  }
});

describe('a guest that came here, of which a backup knows only that it was to', () => {
  const planned = (epoch: number, changes: MovingChanges = {}) => {
    const vm = movingMachine(changes);
    const guest = domainOf(vm);
    const { metadata } = guest;
    const domain = { ...guest, ...(metadata === undefined ? {} : { metadata: { ...metadata, epoch } }) };
    return planText(planDomain(domainSnapshot({ self: HV2, live: vm, domain, hold: 'Doubt' })));
  };

  it('has arrived where it bears the epoch that only an arrival gives', () => {
    expect(planned(2)).to.equal('tell target Running, again in 1 s');
  });

  it('is another one’s affair under the epoch from before', () => {
    expect(planned(1)).to.equal('tell target Refused, again in 1 s');
  });

  it('is reported where it was given a later epoch still', () => {
    expect(planned(3)).to.equal('orphaned');
  });
});
