// What somebody does on the machine itself, with virsh, behind the back of everybody.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { virsh } from '#hack/hypervisor-host/host.ts';
import type { SiteUnderTest } from '../../site/describe-site.ts';
import { domainOf, hostOf, libvirtStateOf } from '../../site/guests.ts';
import { guest, on } from '../../site/manifest.ts';
import { conditionOf, readyOf } from '../../site/user.ts';
import { FOREIGN } from './names.ts';

const VICTIM = 'victim';
const DOMAIN = domainOf(VICTIM);

export function describeHostDoings(under: () => SiteUnderTest): void {
  const host = () => hostOf(under().site, 'hv1');

  describe('that somebody meddles with on the machine', () => {
    before(async () => {
      const { user } = under();
      await user.apply(guest(VICTIM, on('hv1')));
      await user.sees(VICTIM, 'Running');
    });

    it('virsh destroy makes it Missing, and nothing is done unasked', async () => {
      const { user } = under();
      await virsh(host(), 'destroy', DOMAIN);
      const vm = await user.sees(VICTIM, 'Missing');
      expect(readyOf(vm)).to.include({
        status: 'False',
        message:
          'Somebody destroyed the guest on hv1 (as virsh destroy does); Usher did not do it. Nothing is done unasked (spec.recovery.onMissing is Hold). To start it again set spec.powerState to Stopped, wait until it is Ready (Stopped), and set it back to Running. Or set spec.recovery.onMissing to Recreate.',
      });
      expect(await user.describe(VICTIM)).to.match(
        /Warning\s+DestroyedOnHost[^]*usher-node-daemon\s+Somebody destroyed/,
      );
      expect(conditionOf(vm, 'InstancePresent').status).to.equal('False');
      expect(vm.status?.lastTermination).to.include({ reason: 'DestroyedOnHost', initiator: 'Host' });
      expect(await user.warnings(VICTIM)).to.deep.equal([
        'DestroyedOnHost: Somebody destroyed the guest on hv1 (as virsh destroy does); Usher did not do it.',
      ]);
    }).timeout(120_000);

    it('virsh undefine of what is left of it changes nothing in what is said', async () => {
      const { user } = under();
      const before = user.latest(VICTIM);
      await virsh(host(), 'undefine', DOMAIN);
      const provisioned = await user.seesThat(VICTIM, 'it is noticed', (vm) => {
        return conditionOf(vm, 'Provisioned').reason === 'NotDefined';
      });
      expect(provisioned.status?.lastTermination).to.deep.equal(before.status?.lastTermination);
      expect(readyOf(provisioned)).to.deep.equal(readyOf(before));
    }).timeout(120_000);

    it('Recreate brings it back, under the permission it had', async () => {
      const { user } = under();
      await user.change(VICTIM, { recovery: { onMissing: 'Recreate' } });
      const vm = await user.sees(VICTIM, 'Running');
      expect(vm.status?.placement?.epoch).to.equal(1);
      expect(await libvirtStateOf(host(), VICTIM)).to.equal('running');
    }).timeout(120_000);

    it('virsh suspend makes it Paused, until virsh resume', async () => {
      const { user } = under();
      await virsh(host(), 'suspend', DOMAIN);
      const vm = await user.sees(VICTIM, 'Paused PausedOnHost');
      expect(readyOf(vm)).to.include({
        status: 'False',
        message: 'The guest was paused on hv1; Usher did not do it. Resume it there, for example with virsh resume.',
      });
      await virsh(host(), 'resume', DOMAIN);
      expect(readyOf(await user.sees(VICTIM, 'Running')).message).to.equal('Running on hv1.');
    }).timeout(120_000);

    it('virsh undefine of a running one does it no harm; its end is told, and it comes back', async () => {
      const { user } = under();
      await virsh(host(), 'undefine', DOMAIN);
      expect(await libvirtStateOf(host(), VICTIM)).to.equal('running');
      expect(readyOf(user.latest(VICTIM)).status).to.equal('True');
      await virsh(host(), 'destroy', DOMAIN);
      const vanished = await user.seesThat(VICTIM, 'its end', ({ status }) => {
        return status?.lastTermination?.reason === 'Vanished';
      });
      expect(vanished.status?.lastTermination?.message).to.equal(
        'The guest vanished from hv1: it is not even defined there any more, and Usher did not remove it.',
      );
      await user.sees(VICTIM, 'Running');
      expect(await libvirtStateOf(host(), VICTIM)).to.equal('running');
    }).timeout(120_000);

    it('one that nobody declared is reported, and nothing else', async () => {
      const { user } = under();
      const file = join(host().directory, 'foreign.xml');
      await writeFile(file, foreignXml);
      await virsh(host(), 'create', file);
      const { status } = await user.hypervisors.until('hv1', {
        what: 'the guest made by hand is reported',
        holds: (hypervisor) => hypervisor.status?.unmanagedCount === 1,
        told: (hypervisor) => JSON.stringify(hypervisor.status?.unmanaged),
      });
      expect(status?.unmanaged).to.deep.equal([
        { name: FOREIGN, uuid: UUID, powerState: 'Running', reason: 'Foreign' },
      ]);
      expect(await user.kubectl('get', 'uhv', 'hv1')).to.match(/UNMANAGED[^]*\s1\s/);
    }).timeout(120_000);
  });
}

const UUID = '7e1f6d3a-0c5b-4f3e-9a53-1d2c3b4a5f60';

/** It boots from nothing: QEMU's firmware waits for ever. */
const foreignXml = `<domain type='qemu'><name>${FOREIGN}</name><uuid>${UUID}</uuid><memory unit='MiB'>16</memory>
  <vcpu>1</vcpu><os><type arch='x86_64'>hvm</type></os></domain>`;
