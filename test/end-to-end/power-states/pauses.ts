// Paused: it stands still, whatever becomes of those who look after it, and goes on where it was.
import { expect } from 'chai';
import { killLibvirt, releaseLibvirt } from '#hack/hypervisor-host/faults.ts';
import { virsh } from '#hack/hypervisor-host/host.ts';
import type { SiteUnderTest } from '../../site/describe-site.ts';
import { bootsOf, domainOf, domainsOn, hostOf, libvirtStateOf, saidBy, untilSaid } from '../../site/guests.ts';
import { guest, on } from '../../site/manifest.ts';
import { conditionOf, readyOf } from '../../site/user.ts';
import { COUNTS, Counting } from './counting.ts';

const PAUSED = 'paused';
const WAITING = 'waiting';

export function describePauses(under: () => SiteUnderTest): void {
  const host = () => hostOf(under().site, 'hv1');
  const counting = new Counting(under, PAUSED);

  describe('that are paused', () => {
    it('Paused lets a guest stand still, and it is Ready', async () => {
      const { user } = under();
      await user.apply(guest(PAUSED, on('hv1'), COUNTS));
      await user.sees(PAUSED, 'Running');
      await untilSaid(host(), PAUSED, /^count 3/);
      await user.change(PAUSED, { powerState: 'Paused' });
      const vm = await user.sees(PAUSED, 'Paused');
      expect(readyOf(vm)).to.include({ status: 'True', message: 'Paused on hv1, as declared.' });
      expect(conditionOf(vm, 'PowerStateSynced').status).to.equal('True');
      expect(await libvirtStateOf(host(), PAUSED)).to.equal('paused');
      await counting.standsStill();
    }).timeout(180_000);

    it('it stands still while daemon, operator and libvirtd are killed and started again', async () => {
      const { user, site } = under();
      const before = await counting.counted();
      const status = user.latest(PAUSED).status;
      await site.programs.kill('node-daemon-hv1');
      await site.programs.kill('operator');
      await killLibvirt(host(), 'stays away');
      await releaseLibvirt(host());
      await site.startOperator();
      await site.startNodeDaemon('hv1');
      await user.change(PAUSED, { restartPolicy: 'Always' }); // once this is taken up, the daemon has looked
      const vm = await user.seesThat(PAUSED, 'the change is taken up', ({ status: seen }) => {
        return seen?.instance?.generation === 3 && seen.phase === 'Paused';
      });
      expect(readyOf(vm).status).to.equal('True');
      expect(vm.status?.instance?.since).to.equal(status?.instance?.since);
      expect(await counting.standsStill()).to.equal(before);
    }).timeout(180_000);

    it('one that somebody resumes on the machine is paused again, and that is said', async () => {
      const { user } = under();
      await virsh(host(), 'resume', domainOf(PAUSED));
      const cause = 'Somebody resumed the guest on hv1; spec.powerState is Paused, so it is paused again.';
      await user.seesThat(PAUSED, 'it is paused again', ({ status }) => {
        return status?.phase === 'Paused' && status.transitions?.at(-2)?.cause === cause;
      });
      await counting.standsStill();
    }).timeout(120_000);

    it('Running lets it go on with the same count', async () => {
      const { user } = under();
      await user.change(PAUSED, { powerState: 'Running' });
      expect(readyOf(await user.sees(PAUSED, 'Running')).status).to.equal('True');
      await counting.goesOn();
      await counting.isOneCount();
      expect(await bootsOf(host(), PAUSED)).to.equal(1);
    }).timeout(120_000);

    it('Stopped wakes a paused guest, so that it hears its power button', async () => {
      const { user } = under();
      await user.change(PAUSED, { powerState: 'Paused' });
      await user.sees(PAUSED, 'Paused');
      await user.change(PAUSED, { powerState: 'Stopped' });
      const vm = await user.sees(PAUSED, 'Stopped', 90);
      expect(vm.status?.lastTermination?.reason).to.equal('StoppedByRequest');
      expect(await saidBy(host(), PAUSED)).to.include('power button pressed, shutting down');
      await counting.isOneCount();
    }).timeout(180_000);

    it('one that is created Paused has its memory and its place, and boots when it is declared Running', async () => {
      const { user } = under();
      await user.apply(guest(WAITING, { ...on('hv1'), powerState: 'Paused', powerOff: { mode: 'Force' } }));
      const vm = await user.sees(WAITING, 'Paused');
      expect(vm.status?.instance?.resources).to.deep.equal({ cpus: 1, memory: '128Mi' });
      expect(await libvirtStateOf(host(), WAITING)).to.equal('paused');
      expect(await saidBy(host(), WAITING)).to.deep.equal([]);
      await user.change(WAITING, { powerState: 'Running' });
      await user.sees(WAITING, 'Running');
      await untilSaid(host(), WAITING, /^up after/);
    }).timeout(180_000);

    it('kubectl delete removes a paused guest like any other', async () => {
      const { user } = under();
      await user.change(WAITING, { powerState: 'Paused' });
      await user.sees(WAITING, 'Paused');
      await user.remove(WAITING, PAUSED);
      await user.untilGone(WAITING);
      await user.untilGone(PAUSED);
      expect(await domainsOn(host())).to.deep.equal([]);
    }).timeout(120_000);
  });
}
