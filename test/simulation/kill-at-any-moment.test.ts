// Whatever was just done to the world may have been the last thing before the power went. The same life of a VM is lived
// again and again, each time with a death at another deed, right before it or right after it.
import { expect } from 'chai';
import { OPERATOR } from './kinds.ts';
import type { Fate } from './life.ts';
import { Site } from './site.ts';

const HYPERVISORS = { hv1: { shutdownMilliseconds: 1_000 }, hv2: { shutdownMilliseconds: 1_000 } };
const PREFERRED = { placement: { preferredHypervisors: ['hv1'] } };
/** Time enough for a death, a restart and the next leader. */
const PATIENCE_MS = 60_000;

/** Created, crashed, changed, stopped, started elsewhere, and deleted; each is to have come true in the end. */
async function live(fates: Record<string, Fate>): Promise<Site> {
  const site = await new Site({ hypervisors: HYPERVISORS, fates }).open();
  await site.create('web', PREFERRED);
  await site.clock.advance(PATIENCE_MS);
  expect(await site.phaseOf('web'), 'after creation').to.equal('Running');
  const uuid = await site.uuidOf('web');
  site.crash(uuid);
  await site.clock.advance(PATIENCE_MS);
  expect(await site.phaseOf('web'), 'after a crash').to.equal('Running');
  await site.edit('web', { resources: { cpus: 2, memory: '2Gi' } });
  await site.clock.advance(PATIENCE_MS);
  await site.edit('web', { powerState: 'Stopped', placement: { preferredHypervisors: ['hv2'] } });
  await site.clock.advance(PATIENCE_MS);
  expect(await site.phaseOf('web'), 'after a stop').to.equal('Stopped');
  await site.edit('web', { powerState: 'Running' });
  await site.clock.advance(PATIENCE_MS);
  expect(site.runningOn(uuid), 'after a start elsewhere').to.deep.equal(['hv2']);
  expect((await site.machine('web')).status?.instance?.resources).to.deep.equal({ cpus: 2, memory: '2Gi' });
  await site.delete('web');
  await site.clock.advance(PATIENCE_MS);
  expect(await site.machines(), 'after deletion').to.deep.equal([]);
  expect([...site.hosts.values()].flatMap((host) => host.machine.list())).to.deep.equal([]);
  await site.close();
  expect(site.invariants.broken).to.deep.equal([]);
  return site;
}

/** How often each process does something to the world when nobody dies. */
async function deedsInPeace(): Promise<Record<string, number>> {
  const site = await live({});
  return Object.fromEntries([OPERATOR, 'hv1', 'hv2'].map((name) => [name, site.deedsOf(name)]));
}

describe('a death at any moment', () => {
  let deeds: Record<string, number> = {};

  before(async () => {
    deeds = await deedsInPeace();
    expect(deeds[OPERATOR]).to.be.within(5, 60);
    expect(deeds.hv1).to.be.within(5, 60);
  });

  for (const moment of ['before', 'after'] as const) {
    for (const name of [OPERATOR, 'hv1', 'hv2']) {
      it(`of ${name === OPERATOR ? 'the operator' : `the daemon of ${name}`}, right ${moment} any of its deeds, changes nothing in the end`, async () => {
        for (let deed = 1; deed <= (deeds[name] ?? 0); deed++) {
          try {
            const site = await live({ [name]: { deed, moment } });
            expect(site.birthsOf(name)).to.equal(2);
          } catch (error) {
            throw new Error(`death ${moment} deed ${deed} of ${name}`, { cause: error });
          }
        }
      }).timeout(120_000);
    }
  }
});
