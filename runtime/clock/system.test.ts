import { expect } from 'chai';
import { systemClock, systemRandom } from './system.ts';

describe('the system’s clock', () => {
  it('sleeps about as long as asked', async () => {
    const begun = systemClock.monotonic();
    await systemClock.sleep(20);
    expect(systemClock.monotonic() - begun).to.be.at.least(19);
    expect(Math.abs(systemClock.now() - Date.now())).to.be.below(1000);
  });

  it('does not wake at once from a sleep longer than a timer can be', async () => {
    const enough = new AbortController();
    const slept = systemClock.sleep(2 ** 40, enough.signal).then(String, String);
    await systemClock.sleep(20);
    enough.abort(new Error('enough'));
    expect(await slept).to.equal('Error: enough');
    expect(await systemClock.sleep(2 ** 40, enough.signal).then(String, String)).to.equal('Error: enough');
  });

  it('is random', () => {
    const numbers = Array.from({ length: 100 }, systemRandom);
    expect(new Set(numbers).size).to.equal(100);
    expect(numbers.every((number) => number >= 0 && number < 1)).to.equal(true);
  });
});
