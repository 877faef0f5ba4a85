// The end of everything that was declared, and of nothing else.
import { expect } from 'chai';
import { virsh } from '#hack/hypervisor-host/host.ts';
import type { SiteUnderTest } from '../../site/describe-site.ts';
import { domainOf, domainsOn, hostOf } from '../../site/guests.ts';
import { FOREIGN } from './names.ts';

export function describeLeaving(under: () => SiteUnderTest): void {
  const all = async () => {
    const { site } = under();
    const domains = await Promise.all(site.machines.map(async ({ name }) => domainsOn(hostOf(site, name))));
    return domains.flat().toSorted();
  };

  describe('in the end', () => {
    it('every VM has its domain, and every domain but the one made by hand its VM', async () => {
      const { user } = under();
      const living = user.machines.names().filter((name) => user.machines.latest(name) !== undefined);
      expect(await all()).to.deep.equal([...living.map(domainOf), FOREIGN].toSorted());
    });

    it('kubectl delete of all of them leaves only what was made by hand', async () => {
      const { user, site } = under();
      const names = user.machines.names().filter((name) => user.machines.latest(name) !== undefined);
      await user.remove(...names);
      for (const name of names) await user.untilGone(name, 120);
      expect(await all()).to.deep.equal([FOREIGN]);
      expect(await virsh(hostOf(site, 'hv1'), 'domstate', FOREIGN)).to.equal('running');
    }).timeout(180_000);
  });
}
