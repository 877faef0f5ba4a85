import { expect } from 'chai';
import { VirtualClock } from '../clock/virtual.ts';
import { KubeError } from '../kube/errors.ts';
import { MemoryApiServer } from '../kube/memory/server.ts';
import { LEASES } from '../lease/lease.ts';
import { silentLogger } from './log.ts';
import { untilServed } from './until-served.ts';

const OTHERS = { ...LEASES, apiVersion: 'example.org/v1', kind: 'Other', plural: 'others' };

describe('a program that cannot begin', () => {
  let clock: VirtualClock;
  let server: MemoryApiServer;
  let told: (string | undefined)[];
  let stop: AbortController;

  beforeEach(() => {
    clock = new VirtualClock();
    server = new MemoryApiServer({ clock, random: Math.random }).serve({ type: LEASES });
    told = [];
    stop = new AbortController();
  });

  const begin = () => {
    const begun = { yet: false, error: undefined as unknown };
    const served = {
      clock,
      random: Math.random,
      logger: silentLogger,
      store: server.asUser('program'),
      types: [LEASES, OTHERS],
      advice: { NotFound: 'install it' },
      tell: (fault?: string) => told.push(fault),
    };
    untilServed(served, stop.signal).then(
      () => (begun.yet = true),
      (error: unknown) => (begun.error = error),
    );
    return begun;
  };

  it('names the kind that is not served, waits, and begins by itself once it is', async () => {
    const begun = begin();
    await clock.advance(120_000);
    expect(begun.yet).to.equal(false);
    expect(new Set(told)).to.deep.equal(new Set(['the API server knows no others.example.org; install it']));
    server.serve({ type: OTHERS });
    await clock.advance(30_000);
    expect(begun.yet).to.equal(true);
    expect(told.at(-1)).to.equal(undefined);
  });

  it('waits ever longer, up to half a minute, and as long as it is asked to', async () => {
    server.faults.add({ refuse: new KubeError('TooManyRequests', 'later', { retryAfterSeconds: 50 }), times: 1 });
    begin();
    await clock.advance(49_000);
    expect(told).to.have.lengthOf(1);
    await clock.advance(600_000);
    expect(told.length).to.be.within(20, 50);
  });

  it('ends when it is asked to', async () => {
    const begun = begin();
    await clock.advance(1_000);
    stop.abort(new Error('stopped'));
    await clock.advance(0);
    expect(begun.error).to.have.property('message', 'stopped');
  });
});
