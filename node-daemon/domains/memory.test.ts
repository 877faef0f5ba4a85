import { expect } from 'chai';
import {
  type DomainMemory,
  isNewEnd,
  nothingRemembered,
  rememberAsked,
  rememberEnded,
  rememberEndTold,
  rememberFailedStart,
  rememberForced,
  rememberForceFailed,
  rememberKnown,
  rememberOff,
  rememberRunning,
  rememberStarted,
  rememberUnknown,
} from './memory.ts';
import { restartPause, retryPause } from './pauses.ts';

const REQUEST = { kind: 'Request' } as const;
const END = { termination: { reason: 'Crashed', initiator: 'Unknown', message: 'It crashed.' }, told: false } as const;
const FAULT = { answered: true, generation: 1, code: 'StartFailed', reason: 'It failed.' };

describe('what is remembered of a stop', () => {
  it('is when it was asked first and last', () => {
    const memory = rememberAsked(rememberAsked(nothingRemembered, 100), 200);
    expect(memory.stop).to.deep.equal({ askedAt: 100, lastAskedAt: 200, by: REQUEST, withdrawn: false });
  });

  it('is that it ended in force, and the patience until then', () => {
    const memory = rememberForced(rememberAsked(nothingRemembered, 100), 200);
    expect(memory.stop).to.deep.equal({ askedAt: 100, lastAskedAt: 200, by: { kind: 'Force' }, withdrawn: false });
  });

  it('is kept, as withdrawn, while the guest runs on, so that its end can still be told', () => {
    const memory = rememberRunning(rememberForced(nothingRemembered, 100));
    expect(memory.stop).to.deep.equal({ askedAt: 100, lastAskedAt: 100, by: { kind: 'Force' }, withdrawn: true });
  });

  it('counts how often in a row the plug could not be pulled', () => {
    const failed = (memory: DomainMemory) => rememberForceFailed(memory, 300, 'it is locked');
    const twice = failed(failed(rememberAsked(nothingRemembered, 100)));
    expect(twice.stop).to.deep.include({ askedAt: 100, by: { kind: 'ForceFailed', times: 2, why: 'it is locked' } });
    expect(failed(rememberRunning(twice)).stop).to.have.nested.property('by.times', 1);
    expect(rememberForced(twice, 400).stop).to.deep.include({ by: { kind: 'Force' } });
  });

  it('begins anew after it was withdrawn', () => {
    const withdrawn = rememberRunning(rememberAsked(nothingRemembered, 100));
    expect(rememberAsked(withdrawn, 900).stop).to.deep.equal({
      askedAt: 900,
      lastAskedAt: 900,
      by: REQUEST,
      withdrawn: false,
    });
    expect(rememberForced(withdrawn, 900).stop).to.include({ askedAt: 900, withdrawn: false });
  });

  it('is nothing once the guest is off and that was told, or once it was started', () => {
    const asked = rememberAsked(nothingRemembered, 100);
    expect(rememberOff(asked)).to.deep.equal(nothingRemembered);
    expect(rememberStarted(asked, 200)).to.deep.equal({ restarts: 0, startedAt: 200 });
  });
});

describe('what is remembered of starts', () => {
  it('counts failures in a row, with the cause of the last', () => {
    const once = rememberFailedStart(nothingRemembered, 100, FAULT);
    const twice = rememberFailedStart(once, 200, { ...FAULT, reason: 'Otherwise.' });
    expect(twice.failedStart).to.deep.equal({ ...FAULT, reason: 'Otherwise.', failures: 2, failedAt: 200 });
  });

  it('counts the failures of another generation anew', () => {
    const failed = rememberFailedStart(nothingRemembered, 100, FAULT);
    expect(rememberFailedStart(failed, 200, { ...FAULT, generation: 2 }).failedStart).to.include({ failures: 1 });
  });

  it('is nothing of failures once the guest runs', () => {
    const failed = rememberFailedStart(nothingRemembered, 100, FAULT);
    expect(rememberRunning(failed)).to.deep.equal(nothingRemembered);
    expect(rememberStarted(failed, 200)).not.to.have.property('failedStart');
  });
});

describe('what is remembered of a guest that ends by itself again and again', () => {
  const crash = (memory: typeof nothingRemembered, at: number, restartAt: number) =>
    rememberStarted(rememberEnded(memory, at, END), restartAt);

  it('is how often it was started again, for pauses that double up to five minutes', () => {
    let memory = rememberStarted(nothingRemembered, 0);
    const pauses = [];
    for (let n = 0; n < 10; n++) {
      pauses.push(restartPause(memory) / 1000);
      memory = crash(memory, n * 1000, n * 1000 + 500);
    }
    expect(pauses).to.deep.equal([2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
  });

  it('is when the end was seen first, however often it is seen', () => {
    const ended = rememberEnded(rememberStarted(nothingRemembered, 0), 100, END);
    expect(rememberEnded(ended, 999, END)).to.equal(ended);
  });

  it('is the next end, where another kind of it is seen, and each until it was told', () => {
    const crashed = rememberEndTold(rememberEnded(rememberStarted(nothingRemembered, 0), 100, END));
    expect([crashed.ended?.told, isNewEnd(crashed)]).to.deep.equal([true, false]);
    const gone = { termination: { ...END.termination, reason: 'Vanished' }, told: false } as const;
    const vanished = rememberEnded(crashed, 200, gone);
    expect(vanished.ended).to.deep.equal({ at: 200, ...gone });
    expect([isNewEnd(vanished), isNewEnd(rememberStarted(crashed, 300))]).to.deep.equal([true, true]);
    expect(isNewEnd(nothingRemembered), 'by a daemon that has died').to.equal(false);
  });

  it('is nothing once it has run for ten minutes', () => {
    const looping = crash(crash(rememberStarted(nothingRemembered, 0), 10, 20), 30, 40);
    expect(looping.restarts).to.equal(2);
    expect(rememberEnded(looping, 40 + 599_999, END).restarts).to.equal(2);
    expect(rememberEnded(looping, 40 + 600_000, END).restarts).to.equal(0);
  });

  it('counts a first start as none', () => {
    expect(rememberStarted(nothingRemembered, 5).restarts).to.equal(0);
  });
});

describe('the pauses after failed starts', () => {
  it('double from five seconds to five minutes', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 8].map((failures) => retryPause(failures) / 1000)).to.deep.equal([
      5, 10, 20, 40, 80, 160, 300, 300,
    ]);
  });
});

describe('what is remembered of a guest whose state is not known', () => {
  it('is since when, until it is known again', () => {
    const unknown = rememberUnknown(rememberUnknown(nothingRemembered, 100), 200);
    expect(unknown.unknownSince).to.equal(100);
    expect(rememberUnknown(rememberKnown(unknown), 300).unknownSince).to.equal(300);
  });

  it('is the very same where nothing changes, so that nobody need keep it', () => {
    expect(rememberKnown(nothingRemembered)).to.equal(nothingRemembered);
    const unknown = rememberUnknown(nothingRemembered, 100);
    expect(rememberUnknown(unknown, 200)).to.equal(unknown);
  });
});
