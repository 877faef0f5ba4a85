// A real guest that was defined with virsh becomes a VirtualMachine, is paused and resumed, and let go: it counts all the
// while, in one process.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { guestImage } from '#hack/hypervisor-host/guest/image.ts';
import { type HypervisorHost, virsh } from '#hack/hypervisor-host/host.ts';
import { until } from '#hack/until.ts';
import { describeSite } from '../site/describe-site.ts';
import { bootsOf, domainOf, hostOf, saidBy, untilSaid } from '../site/guests.ts';
import { operating } from './operating.ts';
import { makeRoom } from './real-guests/room.ts';

const choice = { hypervisor: 'qemu', machineNames: ['hv1'], heartbeatSeconds: 2 } as const;
const COUNTER = 'counter';
const DOMAIN = `${COUNTER}.usher`;
const UUID = '0f6d2b34-55a1-4e0b-8a52-6a1f5f2f7c01';

describeSite('a real guest that somebody else made', choice, (under) => {
  const { operate, finished } = operating(under);
  const host = () => hostOf(under().site, 'hv1');
  const counts = async () => (await saidBy(host(), COUNTER)).filter((line) => line.startsWith('count')).length;
  const verdict = async () =>
    under()
      .user.kubectl('get', 'udr', `hv1.${UUID}`, '-o', 'jsonpath={.status.verdict.reason}')
      .catch(() => '');
  let process = '';

  /** It goes on, and it is the same one. */
  async function expectCounting(): Promise<void> {
    const before = await counts();
    await untilSaid(host(), COUNTER, /^count/, { times: before + 3 });
    expect(await virsh(host(), 'domid', DOMAIN), 'its process').to.equal(process);
    expect(await bootsOf(host(), COUNTER), 'boots').to.equal(1);
  }

  before(async function () {
    this.timeout(180_000);
    await makeRoom(under().user, 'hv1');
    const file = join(host().directory, 'counter.xml');
    await writeFile(file, definitionFor(host(), (await guestImage()).bootDirectory));
    await virsh(host(), 'define', file);
    await virsh(host(), 'start', DOMAIN);
    await untilSaid(host(), COUNTER, /^ready/);
    process = await virsh(host(), 'domid', DOMAIN);
  });

  it('is reported with what it is, and left alone', async () => {
    await until('it is reported and judged', 60, async () => (await verdict()) === 'NotAskedFor');
    const found = await under().user.kubectl('get', 'udr', `hv1.${UUID}`, '-o', 'jsonpath={.status.found}');
    const { boot, obstacles } = JSON.parse(found) as { boot: object; obstacles: object[] };
    expect(obstacles).to.deep.equal([]);
    expect(boot).to.include({ image: 'usher-guest.vmlinuz', initrd: 'usher-guest.initrd' });
    await expectCounting();
  }).timeout(120_000);

  it('is adopted once its hypervisor has a rule for it', async () => {
    const { user } = under();
    await user.changeHypervisor('hv1', { adoption: { mode: 'Adopt', nameSuffix: '.usher', namespace: 'default' } });
    const vm = await user.sees(COUNTER, 'Running', 60);
    expect(vm.status?.managed).to.deep.equal({ origin: 'Adopted' });
    expect(vm.status?.placement).to.include({ hypervisor: 'hv1', epoch: 1 });
    expect(vm.status?.instance).to.include({ uuid: UUID });
    expect(vm.status?.pendingChanges ?? []).to.deep.equal([]);
    expect(await virsh(host(), 'list', '--all', '--name'))
      .to.include(DOMAIN)
      .and.not.include(domainOf(COUNTER));
    await expectCounting();
  }).timeout(180_000);

  it('is paused and resumed as any other', async () => {
    const { user } = under();
    await user.change(COUNTER, { powerState: 'Paused' });
    await user.sees(COUNTER, 'Paused');
    expect(await virsh(host(), 'domstate', DOMAIN)).to.equal('paused');
    await user.change(COUNTER, { powerState: 'Running' });
    await user.sees(COUNTER, 'Running');
    await expectCounting();
  }).timeout(180_000);

  it('is let go by an operation, goes on, and is not taken back by the rule', async () => {
    const { user } = under();
    await operate('let-go', { type: 'Release', targets: { set: COUNTER } });
    expect((await finished('let-go')).status).to.deep.include({ phase: 'Succeeded', done: '1/1' });
    await user.untilGone(COUNTER);
    await until('it is reported as released', 60, async () => (await verdict()) === 'Released');
    await expectCounting();
  }).timeout(180_000);

  it('is taken back by an operation, and started as it was found after a stop', async () => {
    const { user } = under();
    await operate('take-back', { type: 'Adopt', targets: { set: COUNTER } });
    expect((await finished('take-back')).status).to.deep.include({ phase: 'Succeeded', done: '1/1' });
    await expectCounting();
    await user.change(COUNTER, { powerState: 'Stopped', powerOff: { mode: 'Force' } });
    await user.sees(COUNTER, 'Stopped');
    await user.change(COUNTER, { powerState: 'Running' });
    await user.sees(COUNTER, 'Running');
    const xml = await virsh(host(), 'dumpxml', DOMAIN);
    expect(xml)
      .to.include('found by hand')
      .and.match(/machine='pc-i440fx/);
  }).timeout(240_000);
});

/** Not as Usher would build it: another machine, a description, and a name of its own. */
function definitionFor({ consoleDirectory }: HypervisorHost, bootDirectory: string): string {
  return `<domain type='qemu'>
  <name>${DOMAIN}</name><uuid>${UUID}</uuid><description>found by hand</description>
  <memory unit='MiB'>128</memory><vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>${bootDirectory}/usher-guest.vmlinuz</kernel>
    <initrd>${bootDirectory}/usher-guest.initrd</initrd>
    <cmdline>console=ttyS0 quiet panic=1 usher.count=1</cmdline>
  </os>
  <features><acpi/></features>
  <devices>
    <interface type='network'>
      <mac address='52:54:00:0f:6d:2b'/><source network='default'/><model type='virtio'/>
    </interface>
    <serial type='pty'><log file='${consoleDirectory}/${domainOf(COUNTER)}.log' append='on'/></serial>
  </devices>
</domain>`;
}
