import { expect } from 'chai';
import { Heartbeats } from './silence.ts';

const TIMEOUT = 40_000;

function listening(since = 0): Heartbeats {
  return new Heartbeats(TIMEOUT, since);
}

describe('a hypervisor', () => {
  it('is silent when its heartbeat has not changed for the time-out', () => {
    const heartbeats = listening();
    heartbeats.hear('hv1', 'a', 10_000);
    expect(heartbeats.silentFor('hv1', 49_999)).to.equal(undefined);
    expect(heartbeats.silentFor('hv1', 50_000)).to.equal(40_000);
    expect(heartbeats.silentFor('hv1', 60_000)).to.equal(50_000);
  });

  it('is not kept alive by a heartbeat that says the same again', () => {
    const heartbeats = listening();
    heartbeats.hear('hv1', 'a', 10_000);
    heartbeats.hear('hv1', 'a', 45_000);
    expect(heartbeats.silentFor('hv1', 50_000)).to.equal(40_000);
  });

  it('is silent when it was never heard', () => {
    expect(listening(5_000).silentFor('hv1', 44_999)).to.equal(undefined);
    expect(listening(5_000).silentFor('hv1', 45_000)).to.equal(40_000);
  });

  it('that joins has the whole time-out to be heard, also when it comes back after it was removed', () => {
    const heartbeats = listening();
    heartbeats.meet('hv1', 90_000);
    expect(heartbeats.silentFor('hv1', 129_999)).to.equal(undefined);
    expect(heartbeats.silentFor('hv1', 130_000)).to.equal(40_000);
    heartbeats.forget('hv1');
    heartbeats.meet('hv1', 140_000);
    expect(heartbeats.silentFor('hv1', 150_000)).to.equal(undefined);
  });

  it('is not heard by being met again', () => {
    const heartbeats = listening();
    heartbeats.hear('hv1', 'a', 10_000);
    heartbeats.meet('hv1', 30_000);
    expect(heartbeats.silentFor('hv1', 50_000)).to.equal(40_000);
  });

  it('is heard again with the next change', () => {
    const heartbeats = listening();
    heartbeats.hear('hv1', 'a', 0);
    expect(heartbeats.silentFor('hv1', 70_000)).to.equal(70_000);
    heartbeats.hear('hv1', 'b', 71_000);
    expect(heartbeats.silentFor('hv1', 72_000)).to.equal(undefined);
  });

  it('is heard with its first heartbeat, where there was none before', () => {
    const heartbeats = listening();
    expect(heartbeats.silentFor('hv1', 50_000)).to.equal(50_000);
    heartbeats.hear('hv1', 'a', 51_000);
    expect(heartbeats.silentFor('hv1', 52_000)).to.equal(undefined);
  });

  it('is judged for itself alone', () => {
    const heartbeats = listening();
    heartbeats.hear('hv1', 'a', 30_000);
    expect([heartbeats.silentFor('hv1', 40_000), heartbeats.silentFor('hv2', 40_000)]).to.deep.equal([
      undefined,
      40_000,
    ]);
  });

  it('says in how long it would be silent', () => {
    const heartbeats = listening();
    heartbeats.hear('hv1', 'a', 10_000);
    expect(heartbeats.silentIn('hv1', 12_000)).to.equal(38_000);
    expect(heartbeats.silentIn('hv1', 90_000)).to.equal(0);
  });

  it('is found silent anew after it was forgotten, as one that was never heard', () => {
    const heartbeats = listening();
    heartbeats.hear('hv1', 'a', 35_000);
    heartbeats.forget('hv1');
    expect(heartbeats.silentFor('hv1', 40_000)).to.equal(40_000);
  });
});

describe('whoever could not hear', () => {
  it('calls nobody silent before the time-out has passed anew', () => {
    const heartbeats = listening();
    heartbeats.hear('hv1', 'a', 0);
    heartbeats.listenAnew(39_000);
    expect(heartbeats.silentFor('hv1', 78_999)).to.equal(undefined);
    expect(heartbeats.silentFor('hv1', 79_000)).to.equal(40_000);
  });

  it('calls nobody silent after its own clock jumped over the time-out, as when it was suspended', () => {
    const heartbeats = listening();
    heartbeats.hear('hv1', 'a', 0);
    heartbeats.listenAnew(3_600_000);
    expect(heartbeats.silentFor('hv1', 3_600_001)).to.equal(undefined);
    expect(heartbeats.silentIn('hv1', 3_600_000)).to.equal(TIMEOUT);
  });
});
