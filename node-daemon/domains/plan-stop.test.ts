import { expect } from 'chai';
import type { VirtualMachineSpec } from '#crds/v1alpha1/virtual-machine-spec.ts';
import { domainOf, domainSnapshot } from '#test/builders/domain.ts';
import { planText } from '#test/builders/plan-text.ts';
import { runningMachine } from '#test/builders/virtual-machine.ts';
import type { StopInProgress } from './memory.ts';
import { planStop } from './plan-stop.ts';

const NOW = 1_000_000;
const GRACEFUL = { mode: 'Graceful', gracePeriodSeconds: 60 } as const;
const FORCE_LATER = { mode: 'GracefulThenForce', gracePeriodSeconds: 60 } as const;
const FORCE = { mode: 'Force', gracePeriodSeconds: 60 } as const;

type PowerOff = VirtualMachineSpec['powerOff'];

function planned(powerOff: PowerOff, stop?: StopInProgress, asked: 'live' | 'cached' = 'live'): string {
  const vm = runningMachine();
  const memory = { restarts: 0, ...(stop === undefined ? {} : { stop }) };
  return planText(
    planStop(domainSnapshot({ [asked]: vm, domain: domainOf(vm), memory, now: NOW }), powerOff, 'It is to stop.'),
  );
}

/** Asked so many seconds ago, the last time and the first. */
function asked(last: number, first = last, changes: Partial<StopInProgress> = {}): StopInProgress {
  return {
    askedAt: NOW - first * 1000,
    lastAskedAt: NOW - last * 1000,
    by: { kind: 'Request' },
    withdrawn: false,
    ...changes,
  };
}

const forced = { by: { kind: 'Force' } } as const;
const failed = (times: number) => ({ by: { kind: 'ForceFailed', times, why: 'it is locked' } }) as const;

describe('stopping a guest', () => {
  const table: [string, PowerOff, StopInProgress | undefined, string][] = [
    ['asks first', FORCE_LATER, undefined, 'AskShutdown'],
    ['tells nothing in the first two seconds', FORCE_LATER, asked(1), 'nothing, again in 1 s'],
    ['tells that it is stopping when that takes longer', FORCE_LATER, asked(3), 'tell Stopping, again in 2 s'],
    ['asks again after five seconds, as a guest that boots may not have heard', FORCE_LATER, asked(5), 'AskShutdown'],
    ['waits no longer than the grace period', FORCE_LATER, asked(1, 58), 'tell Stopping, again in 2 s'],
    ['pulls the plug when the grace period is over', FORCE_LATER, asked(2, 60), 'PullPlug'],
    ['waits for the plug to take effect', FORCE_LATER, asked(1, 61, forced), 'tell Stopping, again in 4 s'],
    ['pulls the plug again when that did nothing', FORCE_LATER, asked(5, 65, forced), 'PullPlug'],
    ['pulls the plug at once without a grace period', { ...FORCE_LATER, gracePeriodSeconds: 0 }, asked(0), 'PullPlug'],
    ['never pulls the plug where only asking is allowed', GRACEFUL, asked(2, 100_000), 'tell Stopping, again in 3 s'],
    ['goes on asking where only asking is allowed', GRACEFUL, asked(6, 100_000), 'AskShutdown'],
    ['does not ask where force is wanted', FORCE, undefined, 'PullPlug'],
    ['does not go on asking where force is wanted by now', FORCE, asked(1), 'PullPlug'],
    ['gives force two seconds before it tells', FORCE, asked(1, 1, forced), 'nothing, again in 1 s'],
    [
      'begins anew where the last request was withdrawn',
      FORCE_LATER,
      asked(90, 90, { withdrawn: true }),
      'AskShutdown',
    ],
    [
      'tells why the plug could not be pulled',
      FORCE,
      asked(4, 61, failed(1)),
      'tell Stopping (StopFailed), again in 1 s',
    ],
    [
      'pulls it again after a pause that grows',
      FORCE,
      asked(9, 61, failed(2)),
      'tell Stopping (StopFailed), again in 1 s',
    ],
    ['pulls it again when the pause is over', FORCE, asked(10, 61, failed(2)), 'PullPlug'],
    ['begins anew where force was withdrawn', FORCE, asked(1, 1, { ...forced, withdrawn: true }), 'PullPlug'],
  ];
  for (const [title, powerOff, stop, expected] of table) {
    it(title, () => expect(planned(powerOff, stop)).to.equal(expected));
  }

  it('tells of a state that has not been known for a minute, and not before', () => {
    const vm = runningMachine();
    const told = (seconds: number, stop: StopInProgress, powerOff: PowerOff) => {
      const memory = { restarts: 0, stop, unknownSince: NOW - seconds * 1000 };
      const domain = domainOf(vm, { powerState: 'Unknown' });
      const plan = planStop(domainSnapshot({ live: vm, domain, memory, now: NOW }), powerOff, 'It is to stop.');
      return `${planText(plan)} ${plan.kind === 'Report' ? plan.report.fault?.reason : ''}`;
    };
    expect(told(59, asked(3, 90), GRACEFUL)).to.equal('tell Stopping, again in 2 s undefined');
    expect(told(60, asked(3, 90), GRACEFUL)).to.match(
      /^tell Stopping \(StateUnknown\), again in 2 s .* virsh domstate/,
    );
    expect(told(59, asked(1, 61, failed(1)), FORCE))
      .to.match(/\(StopFailed\)/)
      .and.not.match(/minute/);
    expect(told(60, asked(1, 61, failed(1)), FORCE)).to.match(
      /\(StopFailed\).* for a minute or more .* start libvirtd again\.$/,
    );
  });

  describe('that is paused', () => {
    const paused = (powerOff: PowerOff, stop?: StopInProgress) => {
      const vm = runningMachine();
      const memory = { restarts: 0, ...(stop === undefined ? {} : { stop }) };
      const domain = domainOf(vm, { powerState: 'Paused' });
      return planText(planStop(domainSnapshot({ live: vm, domain, memory, now: NOW }), powerOff, 'It is to stop.'));
    };
    const cases: [string, PowerOff, StopInProgress | undefined, string][] = [
      ['asks first', FORCE_LATER, undefined, 'AskShutdown'],
      ['lets it go on then, so that it hears it', FORCE_LATER, asked(0), 'Resume'],
      ['lets it go on only once', FORCE_LATER, asked(3, 3, { resumed: true }), 'tell Stopping, again in 2 s'],
      ['goes on asking', GRACEFUL, asked(6, 100, { resumed: true }), 'AskShutdown'],
      ['pulls the plug when the grace period is over', FORCE_LATER, asked(2, 60, { resumed: true }), 'PullPlug'],
      ['does not let it go on where force is wanted', FORCE, undefined, 'PullPlug'],
      ['begins anew where the last stop was withdrawn', FORCE_LATER, asked(9, 9, { withdrawn: true }), 'AskShutdown'],
    ];
    for (const [title, powerOff, stop, expected] of cases) {
      it(title, () => expect(paused(powerOff, stop)).to.equal(expected));
    }
  });

  it('does nothing on the word of a cache', () => {
    expect(planned(FORCE_LATER, undefined, 'cached')).to.equal('verify');
    expect(planned(FORCE_LATER, asked(2, 60), 'cached')).to.equal('verify');
    expect(planned(FORCE, undefined, 'cached')).to.equal('verify');
  });
});
