import { expect } from 'chai';
import { type Given, machine } from '#test/builders/given-facts.ts';
import { verdictOf } from './verdict.ts';

// phase, Ready, progress, reason.
const table: [string, Given, string, boolean, string, string][] = [
  ['declared paused and paused', { powerState: 'Paused', instance: 'Paused' }, 'Paused', true, 'Settled', 'Paused'],
  [
    'declared paused, still running',
    { powerState: 'Paused', instance: 'Running' },
    'Running',
    false,
    'Reconciling',
    'Pausing',
  ],
  [
    'declared paused, and cannot be',
    { powerState: 'Paused', instance: 'Running', obstacle: 'PauseFailed' },
    'Running',
    false,
    'Reconciling',
    'PauseFailed',
  ],
  [
    'declared paused, its start ahead',
    { powerState: 'Paused', instance: 'Starting' },
    'Starting',
    false,
    'Reconciling',
    'Starting',
  ],
  [
    'declared paused and paused, a change waiting for a restart',
    { powerState: 'Paused', instance: 'Paused', pending: true },
    'Paused',
    false,
    'Settled',
    'RestartRequired',
  ],
  [
    'paused as declared before, declared running by now',
    { generation: 2, granted: { generation: 2 }, instance: 'Paused', pausedBy: 1 },
    'Paused',
    false,
    'Reconciling',
    'Resuming',
  ],
  [
    'declared running again, and cannot be resumed',
    { instance: 'Paused', obstacle: 'ResumeFailed' },
    'Paused',
    false,
    'Reconciling',
    'ResumeFailed',
  ],
  [
    'paused on the host after an earlier pause that was declared',
    { instance: 'Paused', pausedBy: 0 },
    'Paused',
    false,
    'Stalled',
    'PausedOnHost',
  ],
];

describe('the verdict on a VirtualMachine that is declared otherwise than Running or Stopped', () => {
  for (const [title, given, phase, ready, progress, reason] of table) {
    it(`calls one that is ${title} ${phase}, ${ready ? 'ready' : 'not ready'} (${reason})`, () => {
      const vm = machine(given);
      const verdict = verdictOf(vm, vm.status ?? {});
      expect(verdict).to.include({ phase, ready, progress, reason });
      expect(verdict.message).to.match(/\.$/);
    });
  }
});
