import { expect } from 'chai';
import type { Decision } from '#crds/v1alpha1/virtual-machine-status.ts';
import { pauseDecided } from '#test/builders/arbitrary-machine.ts';
import { domainOf, domainOff, domainSnapshot, type SnapshotChanges } from '#test/builders/domain.ts';
import { planText } from '#test/builders/plan-text.ts';
import { TIME, timeAfter } from '#test/builders/time.ts';
import { type PlacedChanges, placedMachine } from '#test/builders/virtual-machine.ts';
import type { DomainMemory } from './memory.ts';
import { planDomain } from './plan.ts';

const NOW = 1_000_000;

function failed(kind: 'Pause' | 'Resume', ago: number): DomainMemory {
  return { restarts: 0, failedStep: { kind, times: 1, failedAt: NOW - ago, why: 'it is locked' } };
}

function planned(vm: ReturnType<typeof placedMachine>, snapshot: SnapshotChanges): string {
  return planText(planDomain(domainSnapshot({ live: vm, now: NOW, ...snapshot })));
}

describe('a guest that is declared Paused', () => {
  const paused = (changes: PlacedChanges = {}) => placedMachine({ spec: { powerState: 'Paused' }, ...changes });
  const vm = paused();
  const toldPaused = paused({ instance: { powerState: 'Paused', decisionID: `${vm.metadata.uid}.1` } });
  const toldPausedBefore = paused({ instance: { powerState: 'Paused', decisionID: 'of an earlier decision' } });
  const running = domainOf(vm);
  const still = domainOf(vm, { powerState: 'Paused' });

  const table: [string, ReturnType<typeof placedMachine>, SnapshotChanges, string][] = [
    ['is paused', vm, { domain: running }, 'Pause'],
    ['is paused only on a live read', vm, { cached: vm, live: undefined, domain: running }, 'verify'],
    ['is told', vm, { domain: still }, 'tell Paused'],
    [
      'is told again where it was on the host before it was declared',
      toldPausedBefore,
      { domain: still },
      'tell Paused',
    ],
    ['is started so', vm, {}, 'Start paused'],
    [
      'is started so under a new permission',
      paused({ placement: { epoch: 2 } }),
      { domain: domainOff(vm, 'Shutdown') },
      'Start paused, bearing epoch 1 until then',
    ],
    ['is paused though it was on the host before', toldPausedBefore, { domain: running }, 'Pause'],
    ['is told to run where somebody has let it go on', toldPaused, { domain: running }, 'tell Running, again in 0 s'],
    [
      'is told that it cannot be paused',
      vm,
      { domain: running, memory: failed('Pause', 1_000) },
      'tell Running (PauseFailed), again in 4 s',
    ],
    ['is tried to be paused again', vm, { domain: running, memory: failed('Pause', 6_000) }, 'Pause'],
    [
      'is given its new permission first',
      paused({ placement: { epoch: 2 } }),
      { domain: domainOf(vm, { powerState: 'Paused' }) },
      'Confirm',
    ],
    [
      'is started again after a crash, as its policy says',
      paused({ instance: 'Paused' }),
      { domain: domainOff(vm, 'Failed') },
      'tell Crashed after Crashed, again in 2 s',
    ],
  ];
  for (const [title, machine, snapshot, expected] of table) {
    it(title, () => expect(planned(machine, snapshot)).to.equal(expected));
  }

  it('says who let it go on, and that what is declared wins', () => {
    const plan = planDomain(domainSnapshot({ live: toldPaused, domain: running }));
    expect(plan.kind === 'Report' ? plan.report.cause : plan.kind).to.equal(
      'Somebody resumed the guest on hv1; spec.powerState is Paused, so it is paused again.',
    );
  });
});

describe('a guest that is declared Running and is paused', () => {
  const running = (reported: number | undefined, pauses: readonly Decision[], changes: PlacedChanges = {}) =>
    placedMachine({
      metadata: { generation: 3 },
      ...(reported === undefined ? {} : { instance: { powerState: 'Paused', generation: reported } }),
      status: { decisions: [...pauses] },
      ...changes,
    });
  const still = { domain: domainOf(running(1, []), { powerState: 'Paused' }) };

  const table: [string, ReturnType<typeof placedMachine>, SnapshotChanges, string][] = [
    ['by somebody on the host: is left so', running(3, []), still, 'tell Paused'],
    ['as it was declared before: goes on', running(2, [pauseDecided(2)]), still, 'Resume'],
    ['as it was declared, though nobody could tell it yet: goes on', running(1, [pauseDecided(2)]), still, 'Resume'],
    ['as it was declared when it was started: goes on', running(undefined, [pauseDecided(2)]), still, 'Resume'],
    [
      'by somebody, after what was declared had been taken back and told',
      running(3, [pauseDecided(2)]),
      still,
      'tell Paused',
    ],
    [
      'by somebody, of a guest that was placed after the pause',
      running(undefined, [{ ...pauseDecided(2), time: timeAfter(-60) }]),
      still,
      'tell Paused',
    ],
    [
      'and cannot be resumed: tells why',
      running(2, [pauseDecided(2)]),
      { ...still, memory: failed('Resume', 1_000) },
      'tell Paused (ResumeFailed), again in 4 s',
    ],
    [
      'and could not be resumed: tries again, whoever remembers it',
      running(3, [pauseDecided(2)], {
        status: {
          decisions: [pauseDecided(2)],
          conditions: [
            {
              type: 'Provisioned',
              status: 'False',
              reason: 'ResumeFailed',
              message: 'It is locked.',
              lastTransitionTime: TIME,
            },
          ],
        },
      }),
      still,
      'Resume',
    ],
  ];
  for (const [title, machine, snapshot, expected] of table) {
    it(title, () => expect(planned(machine, snapshot)).to.equal(expected));
  }
});
