import { expect } from 'chai';
import fc from 'fast-check';
import type { Hypervisor, HypervisorStatus } from '#crds/v1alpha1/hypervisor.ts';
import { hypervisor } from '#test/builders/hypervisor.ts';
import { type Hold, holdOf, membersOf, type SiteSnapshot } from './hold.ts';

const NOBODY = { unsettled: 0, marked: 0, signed: 0, astray: [], byHypervisor: new Map<string, number>() };

function machine(name: string, controlPlane?: HypervisorStatus['controlPlane']): Hypervisor {
  return hypervisor({ metadata: { name }, status: controlPlane === undefined ? {} : { controlPlane } });
}

const at = (name: string) => machine(name, { uid: 'c2' });
const foreign = (name: string, answered?: string, orphans = 0) =>
  machine(name, { uid: 'c2', doubt: 'Foreign', ...(answered === undefined ? {} : { answered, orphans }) });

interface Changes extends Partial<Omit<SiteSnapshot, 'record' | 'guests'>> {
  readonly record?: Partial<SiteSnapshot['record']>;
  readonly guests?: Partial<SiteSnapshot['guests']>;
}

function held({ record, guests, ...changes }: Changes): Hold | undefined {
  return holdOf({
    cluster: 'c2',
    hypervisors: [],
    hold: undefined,
    nextId: () => 'h1',
    ...changes,
    record: { cluster: 'c2', hypervisors: [], hold: '', ...record },
    guests: { ...NOBODY, ...guests },
  });
}

function text(changes: Changes): string {
  const hold = held(changes);
  return hold === undefined ? 'none' : `${hold.id} ${hold.phase} ${hold.waitingFor.join(' ')}`.trim();
}

const OLD = { cluster: 'c1', hypervisors: ['hv1', 'hv2'] };
const waiting: Hold = { id: 'h0', phase: 'Waiting', reason: '', heard: [], waitingFor: [], needs: '' };

describe('the hold of a site', () => {
  const table: [string, Changes, string][] = [
    ['is none on a site that is new', { record: { cluster: '' } }, 'none'],
    [
      'is none on a site that is new and has hypervisors',
      { record: { cluster: '' }, hypervisors: [at('hv1')] },
      'none',
    ],
    ['is none on a site as it was', { record: { hypervisors: ['hv1'] }, hypervisors: [at('hv1')] }, 'none'],
    ['is none for daemons that say nothing of control planes', { hypervisors: [machine('hv1')] }, 'none'],
    ['waits for all on a list that was put back', { record: OLD }, 'h1 Waiting hv1 hv2'],
    [
      'waits for those that served another control plane, and for all others',
      { record: { hypervisors: ['hv1'] }, hypervisors: [at('hv1'), foreign('hv2')] },
      'h1 Waiting hv1 hv2',
    ],
    [
      'waits where the control plane is older than what was seen',
      { record: { hypervisors: ['hv1'] }, hypervisors: [machine('hv1', { uid: 'c2', doubt: 'WentBack' })] },
      'h1 Waiting hv1',
    ],
    ['goes on under its name', { record: OLD, hold: waiting, hypervisors: [foreign('hv1', 'h0')] }, 'h0 Waiting hv2'],
    [
      'takes no answer to another hold',
      { record: OLD, hold: waiting, hypervisors: [foreign('hv1', 'h9'), foreign('hv2', 'h0')] },
      'h0 Waiting hv1',
    ],
    [
      'waits for reports that are still on their way',
      { record: OLD, hold: waiting, hypervisors: [foreign('hv1', 'h0', 2), foreign('hv2', 'h0')] },
      'h0 Waiting hv1',
    ],
    [
      'has heard whom it has heard, though their guests are taken by now',
      {
        record: OLD,
        hold: { ...waiting, heard: ['hv1'] },
        hypervisors: [foreign('hv1', 'h0', 2), foreign('hv2', 'h0')],
      },
      'h0 Over',
    ],
    [
      'lasts until every guest has its VM again',
      {
        record: OLD,
        hold: waiting,
        hypervisors: [foreign('hv1', 'h0'), foreign('hv2', 'h0')],
        guests: { unsettled: 1 },
      },
      'h0 Recreating',
    ],
    ['ends where a person says so', { record: { ...OLD, confirmed: 'h0' }, hold: waiting }, 'h0 Over hv1 hv2'],
    [
      'does not end by what a person said of another',
      { record: { ...OLD, confirmed: 'h9' }, hold: waiting },
      'h0 Waiting hv1 hv2',
    ],
    [
      'needs a person where nobody knows which hypervisors there were',
      { hold: waiting, hypervisors: [foreign('hv1', 'h0')] },
      'h0 Waiting',
    ],
    [
      'needs a person where no guest bears a signature of this site',
      {
        record: OLD,
        hold: waiting,
        hypervisors: [foreign('hv1', 'h0'), foreign('hv2', 'h0')],
        guests: { marked: 2, signed: 0 },
      },
      'h0 Waiting',
    ],
    [
      'needs none where some do: one node may have made up all of its own',
      {
        record: OLD,
        hold: waiting,
        hypervisors: [foreign('hv1', 'h0'), foreign('hv2', 'h0')],
        guests: { marked: 2, signed: 1 },
      },
      'h0 Over',
    ],
    [
      'needs a person where a guest runs that was not signed for that hypervisor: it may have moved there',
      {
        record: OLD,
        hold: waiting,
        hypervisors: [foreign('hv1', 'h0'), foreign('hv2', 'h0')],
        guests: { marked: 2, signed: 2, astray: ['hv2.x'] },
      },
      'h0 Waiting',
    ],
    [
      'stays over until the last daemon believes it',
      { hold: { ...waiting, phase: 'Over', heard: ['hv1'] }, hypervisors: [foreign('hv1', 'h0')] },
      'h0 Over',
    ],
    [
      'begins anew where one returns that was not heard',
      { hold: { ...waiting, phase: 'Over', heard: ['hv1'] }, hypervisors: [foreign('hv1', 'h0'), foreign('hv2')] },
      'h1 Waiting hv1 hv2',
    ],
    ['is forgotten once all believe it', { hold: { ...waiting, phase: 'Over' }, hypervisors: [at('hv1')] }, 'none'],
  ];
  for (const [title, changes, expected] of table) {
    it(title, () => expect(text(changes)).to.equal(expected));
  }

  it('says what it waits for, and how a person ends it', () => {
    expect(held({ record: OLD })?.needs).to.equal(
      'Waiting for reports of hv1, hv2. To go on all the same: kubectl annotate configmap usher-site --namespace ' +
        'usher-system --overwrite usher.dev/confirm-hold=h1',
    );
    const many = Array.from({ length: 300 }, (_, n) => `hv${100 + n}`);
    expect(held({ record: { cluster: 'c1', hypervisors: many } })?.needs).to.include('hv104 and 295 more.');
  });

  it('never ends while one on the list has not been heard, unless a person says so', () => {
    const name = fc.constantFrom('hv1', 'hv2', 'hv3');
    const status = fc.record({
      doubt: fc.option(fc.constantFrom('Foreign' as const, 'WentBack' as const)),
      answers: fc.boolean(),
    });
    const all = fc.uniqueArray(fc.record({ name, status }), { selector: (one) => one.name });
    fc.assert(
      fc.property(fc.uniqueArray(name), all, fc.boolean(), (hypervisors, present, carried) => {
        const machines = present.map(({ name: own, status: { doubt, answers } }) =>
          machine(own, {
            uid: 'c2',
            ...(doubt === null ? {} : { doubt }),
            ...(answers ? { answered: 'h0', orphans: 0 } : {}),
          }),
        );
        const record = { cluster: carried ? 'c1' : 'c2', hypervisors };
        const hold = held({ record, hold: waiting, hypervisors: machines });
        if (hold === undefined || hold.phase === 'Waiting') return;
        const silent = hypervisors.filter((one) => !hold.heard.includes(one));
        expect(silent).to.deep.equal([]);
      }),
    );
  });
});

describe('the list of hypervisors that a site backs up', () => {
  it('has those that are known to be of this control plane, and no stranger', () => {
    const all = [at('hv2'), at('hv1'), foreign('hv3'), machine('hv4'), machine('hv5', { uid: 'c1' })];
    expect(membersOf('c2', all)).to.deep.equal(['hv1', 'hv2']);
  });
});
