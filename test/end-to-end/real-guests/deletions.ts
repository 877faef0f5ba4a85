// The ends that a VM may come to: its time is over, its guest is let go, it is protected, or forgotten by force.
import { expect } from 'chai';
import { findCondition } from '#crds/conditions.ts';
import { FORCE_DELETE_ANNOTATION } from '#crds/v1alpha1/names.ts';
import { virsh } from '#hack/hypervisor-host/host.ts';
import type { SiteUnderTest } from '../../site/describe-site.ts';
import { domainOf, hostOf } from '../../site/guests.ts';
import { guest, on } from '../../site/manifest.ts';
import { readyOf } from '../../site/user.ts';

const BRIEF = 'brief';
const RELEASED = 'released';
const KEPT = 'kept';
const FORGOTTEN = 'forgotten';
const QUICKLY = { ...on('hv1'), powerOff: { mode: 'Force' } } as const;

export function describeDeletions(under: () => SiteUnderTest): void {
  const host = () => hostOf(under().site, 'hv1');
  const stateOnHost = async (name: string) => virsh(host(), 'domstate', domainOf(name));
  const reportedAs = async (name: string, reason: string) => {
    const { user } = under();
    await user.hypervisors.until('hv1', {
      what: `it reports ${name} as ${reason}`,
      holds: ({ status }) =>
        status?.unmanaged?.some((one) => one.name === domainOf(name) && one.reason === reason) === true,
      told: ({ status }) => JSON.stringify(status?.unmanaged),
      seconds: 60,
    });
  };
  const removeByHand = async (name: string) => {
    await virsh(host(), 'destroy', domainOf(name));
    await virsh(host(), 'undefine', domainOf(name));
  };

  describe('that come to an end', () => {
    it('are stopped when their time is over, which says so, and run again when they are given more', async () => {
      const { user } = under();
      const expirationTime = new Date(Date.now() + 20_000).toISOString();
      await user.apply(guest(BRIEF, { ...QUICKLY, expirationTime }));
      await user.sees(BRIEF, 'Running');
      const vm = await user.sees(BRIEF, 'Stopped Expired', 60);
      expect(readyOf(vm).message).to.contain(`Its time was over at ${expirationTime}`);
      expect(vm.spec.powerState).to.equal('Running');
      expect(vm.status?.granted?.powerState).to.equal('Stopped');
      expect(await stateOnHost(BRIEF)).to.equal('shut off');
      const warned = (await user.warnings(BRIEF)).map((line) => line.split(':')[0]);
      expect(warned).to.have.members(['ExpiresSoon', 'Expired']);
      await user.kubectl('patch', 'uvm', BRIEF, '--type', 'merge', '-p', '{"spec":{"expirationTime":null}}');
      const again = await user.sees(BRIEF, 'Running');
      expect(findCondition(again.status?.conditions, 'Expired')).to.equal(undefined);
      await user.remove(BRIEF);
      await user.untilGone(BRIEF);
    }).timeout(180_000);

    it('are let go where that is wanted: the guest runs on, and is foreign', async () => {
      const { user } = under();
      await user.apply(guest(RELEASED, { ...QUICKLY, deletionPolicy: 'Release' }));
      await user.sees(RELEASED, 'Running');
      const pid = await virsh(host(), 'domid', domainOf(RELEASED));
      await user.remove(RELEASED);
      await user.untilGone(RELEASED);
      expect(await stateOnHost(RELEASED)).to.equal('running');
      expect(await virsh(host(), 'domid', domainOf(RELEASED))).to.equal(pid);
      expect(await virsh(host(), 'dumpxml', domainOf(RELEASED))).not.to.contain('payload');
      expect(await virsh(host(), 'dumpxml', '--inactive', domainOf(RELEASED))).not.to.contain('payload');
      await reportedAs(RELEASED, 'Foreign');
      await removeByHand(RELEASED);
    }).timeout(180_000);

    it('are not deleted while they are protected, and kubectl says how to lift that', async () => {
      const { user } = under();
      await user.apply(guest(KEPT, { ...QUICKLY, deletionProtection: true }));
      await user.sees(KEPT, 'Running');
      const refusal = await user.remove(KEPT).then(
        () => 'deleted',
        (error: unknown) => String(error),
      );
      expect(refusal).to.contain(`spec.deletionProtection is set`).and.to.contain(`kubectl patch uvm ${KEPT}`);
      await user.change(KEPT, { deletionProtection: false });
      await user.remove(KEPT);
      await user.untilGone(KEPT);
    }).timeout(180_000);

    it('are forgotten by force where nobody can say whether they run: they are never killed', async () => {
      const { user, site } = under();
      await user.apply(guest(FORGOTTEN, QUICKLY));
      await user.sees(FORGOTTEN, 'Running');
      await site.programs.kill('node-daemon-hv1');
      await user.remove(FORGOTTEN);
      const vm = await user.sees(FORGOTTEN, 'Terminating HypervisorUnreachable');
      const [command = ''] = /kubectl annotate \S+ \S+ --namespace \S+ \S+/.exec(readyOf(vm).message) ?? [];
      expect(command).to.contain(`${FORCE_DELETE_ANNOTATION}=hv1`);
      await user.kubectl(...command.split(' ').slice(1));
      await user.untilGone(FORGOTTEN);
      expect((await user.warnings(FORGOTTEN)).join('\n')).to.match(
        /^DeletionForced: .* its guest may still run on hv1/m,
      );
      await site.startNodeDaemon('hv1');
      await reportedAs(FORGOTTEN, 'Orphaned');
      expect(await stateOnHost(FORGOTTEN)).to.equal('running');
      await removeByHand(FORGOTTEN);
    }).timeout(180_000);
  });
}
