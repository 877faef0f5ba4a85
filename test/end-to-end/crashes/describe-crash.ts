// One part killed in the middle of ten starts, then in the middle of ten deletes.
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { ApiRequestError } from '#hack/control-plane/api-request.ts';
import { until } from '#hack/until.ts';
import type { SiteUnderTest } from '../../site/describe-site.ts';
import { domainOf } from '../../site/guests.ts';
import { allDomains, type Guest, guestsOf, startsOf } from './on-the-machines.ts';
import { COUNT, TenVms } from './ten-vms.ts';
import type { Victim } from './victims.ts';

/** So many are done when it is killed, and not all. */
const ENOUGH = 2;
const DEAD_MS = 1_000;
const SECONDS = 120;

function notYetServed(error: unknown): false {
  if (error instanceof ApiRequestError && error.status === 503) return false;
  throw error;
}

export function describeCrash(victim: Victim, under: () => SiteUnderTest): void {
  const ten = new TenVms(victim.prefix, under);
  const guests = async (): Promise<Guest[]> => guestsOf(under().site, ten.names);

  /** Begins the work, kills when a part of it is done, and brings the victim back. Gives what ran when it was dead. */
  const killDuring = async (work: () => Promise<void>, done: () => number): Promise<Guest[]> => {
    const { site } = under();
    const asked = work().catch(() => undefined);
    const deadline = performance.now() + SECONDS * 1000;
    while (done() < ENOUGH && performance.now() < deadline) await delay(1);
    const before = done();
    await victim.kill(site);
    const ran = await guests();
    await delay(DEAD_MS);
    await victim.restore(site);
    await asked;
    // What was asked of an API server that was away. One that has just come back may know our kinds a moment later.
    await until('the API server takes requests again', SECONDS, async () => work().then(() => true, notYetServed));
    expect(before, 'done when it was killed').to.be.within(ENOUGH, COUNT - 1);
    return ran;
  };

  describe(`of ${victim.title}`, () => {
    it('all ten run, each once, and what ran already was not touched', async () => {
      const ran = await killDuring(
        async () => ten.create(),
        () => ten.started(victim.progress),
      );
      for (const vm of ten.names) await under().user.sees(vm, 'Running', SECONDS);
      await until('ten guests are up', SECONDS, async () => (await guests()).every(({ isUp }) => isUp));
      const now = await guests();
      const survivors = ran.filter(({ isUp }) => isUp || !victim.losesStarts);
      expect(now.map(({ vm }) => vm)).to.deep.equal(ten.names);
      expect(await allDomains(under().site)).to.deep.equal(ten.names.map(domainOf));
      expect(now).to.deep.include.members(survivors.map((one) => ({ ...one, isUp: true })));
      await onePermissionEach(now, survivors);
    }).timeout(300_000);

    it('all ten are gone, and none was started again', async () => {
      const { user, site } = under();
      const before = await startsOf(site, ten.names);
      await killDuring(
        async () => ten.remove(),
        () => ten.deleted(victim.progress),
      );
      await user.kubectl('wait', '--for=delete', 'uvm', ...ten.names, `--timeout=${SECONDS}s`);
      expect(await user.kubectl('get', 'uvm', '-o', 'name')).to.equal('');
      expect(await guests()).to.deep.equal([]);
      expect(await allDomains(site)).to.deep.equal([]);
      expect(await startsOf(site, ten.names)).to.deep.equal(before);
    }).timeout(300_000);
  });

  /** And one start each, but for those that libvirt itself lost in the middle. */
  const onePermissionEach = async (now: readonly Guest[], survivors: readonly Guest[]): Promise<void> => {
    const { user, site } = under();
    const starts = await startsOf(site, ten.names);
    for (const { vm, machine } of now) {
      const mayBeLost = victim.losesStarts && !survivors.some((one) => one.vm === vm);
      const told = [...user.story(vm), ...(await user.warnings(vm))].join('; ');
      expect(starts[vm], `starts of ${vm}, which told: ${told}`).to.be.within(1, mayBeLost ? 2 : 1);
      expect(user.latest(vm).status?.placement, vm).to.include({ epoch: 1, hypervisor: machine });
    }
  };
}
