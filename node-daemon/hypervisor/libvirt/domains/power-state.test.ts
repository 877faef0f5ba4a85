import { expect } from 'chai';
import { powerStateOf } from './power-state.ts';

describe('the state of a domain', () => {
  const cases: [state: number, reason: number, expected: object][] = [
    [0, 0, { powerState: 'Unknown' }],
    [1, 1, { powerState: 'Running' }],
    [2, 0, { powerState: 'Running' }],
    [3, 1, { powerState: 'Paused' }],
    [3, 3, { powerState: 'Saving' }],
    [3, 8, { powerState: 'ShuttingDown' }],
    [3, 11, { powerState: 'Unknown' }],
    [4, 1, { powerState: 'ShuttingDown' }],
    [5, 0, { powerState: 'ShutOff', shutOffReason: 'Unknown' }],
    [5, 1, { powerState: 'ShutOff', shutOffReason: 'Shutdown' }],
    [5, 2, { powerState: 'ShutOff', shutOffReason: 'Destroyed' }],
    [5, 3, { powerState: 'ShutOff', shutOffReason: 'Crashed' }],
    [5, 4, { powerState: 'ShutOff', shutOffReason: 'Migrated' }],
    [5, 5, { powerState: 'ShutOff', shutOffReason: 'Saved' }],
    [5, 6, { powerState: 'ShutOff', shutOffReason: 'Failed' }],
    [5, 8, { powerState: 'ShutOff', shutOffReason: 'Failed' }],
    [5, 99, { powerState: 'ShutOff', shutOffReason: 'Unknown' }],
    [6, 0, { powerState: 'Crashed', shutOffReason: 'Crashed' }],
    [7, 0, { powerState: 'Paused' }],
    [99, 0, { powerState: 'Unknown' }],
  ];
  for (const [state, reason, expected] of cases) {
    it(`is ${Object.values(expected).join(' by ')} where libvirt says ${state} for reason ${reason}`, () => {
      expect(powerStateOf({ state, reason })).to.deep.equal(expected);
    });
  }
});
