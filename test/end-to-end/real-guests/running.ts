// From a manifest to a guest that is there.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { SiteUnderTest } from '../../site/describe-site.ts';
import { hostOf, untilSaid } from '../../site/guests.ts';
import { guest, on } from '../../site/manifest.ts';
import { conditionOf, readyOf } from '../../site/user.ts';
import { STEADY } from './names.ts';

const run = promisify(execFile);

export function describeRunning(under: () => SiteUnderTest): void {
  describe('that are wanted', () => {
    it('a manifest becomes a running guest, where it asked to be', async () => {
      const { user } = under();
      await user.apply(guest(STEADY, on('hv2')));
      const vm = await user.sees(STEADY, 'Running');
      expect(readyOf(vm)).to.include({ status: 'True', message: 'Running on hv2.' });
      expect(conditionOf(vm, 'Placed').message).to.match(
        /^hv2 is preferred by the VM and has room; with this VM 1 of \d+ CPUs and 128Mi of \S+ memory are assigned\.$/,
      );
      expect(vm.status?.instance?.resources).to.deep.equal({ cpus: 1, memory: '128Mi' });
      expect(user.story(STEADY)).to.deep.equal(['Pending Pending', 'Starting Starting', 'Running Running']);
      expect(await user.warnings(STEADY)).to.deep.equal([]);
    }).timeout(120_000);

    it('its address is observed, and answers a ping from the machine', async () => {
      const { user, site } = under();
      const [, said] = /address (\S+) on eth0/.exec(await untilSaid(hostOf(site, 'hv2'), STEADY, /address/)) ?? [];
      const vm = await user.seesThat(STEADY, 'its address is told', ({ status }) => status?.addresses !== undefined);
      expect(vm.status?.addresses).to.deep.equal([{ ip: said, interface: 'net0', source: 'Lease' }]);
      await run('ping', ['-c', '1', '-w', '60', said ?? '']);
    }).timeout(180_000);
  });
}
