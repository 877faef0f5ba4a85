// Operations on ten real guests at once, as a user asks for them with kubectl and sees what came of them.
import { expect } from 'chai';
import type { OperationSpec } from '#crds/v1alpha1/operation-spec.ts';
import { describeSite } from '../site/describe-site.ts';
import { bootsOf, hostOf, libvirtStateOf, saidBy, untilSaid } from '../site/guests.ts';
import { guest } from '../site/manifest.ts';
import { operating } from './operating.ts';
import { makeRoom } from './real-guests/room.ts';

const TEN = Array.from({ length: 10 }, (_, index) => `op-${index + 1}`);
const ALL = '/op-[0-9]+/';
/** Ten guests boot on two processors that are emulated. */
const BOOT_SECONDS = 300;

const choice = { hypervisor: 'qemu', machineNames: ['hv1'], heartbeatSeconds: 2 } as const;

describeSite('operations on real guests', choice, (under) => {
  const host = () => hostOf(under().site, 'hv1');
  const machine = (name: string) => under().user.latest(name);

  const { operate, finished } = operating(under);

  before(async function () {
    this.timeout(60_000);
    await makeRoom(under().user, 'hv1');
  });

  it('one creates and starts ten of them from a template', async () => {
    const { spec } = guest('template');
    await operate('start', {
      type: 'Start',
      targets: { set: 'op-{1-10}' },
      template: { spec } as NonNullable<OperationSpec['template']>,
    });
    const { status } = await finished('start', BOOT_SECONDS);
    expect(status).to.deep.include({ phase: 'Succeeded', done: '10/10', succeeded: ['op-{1-10}'] });
    expect(new Set(status?.results?.map(({ hypervisor }) => hypervisor))).to.deep.equal(new Set(['hv1']));
    for (const name of TEN) await untilSaid(host(), name, /^ready/, { seconds: BOOT_SECONDS });
    expect(machine('op-1').metadata.annotations?.['usher.dev/requester']).to.equal('usher-admin');
  }).timeout(2 * BOOT_SECONDS * 1000);

  it('one reboots all ten by one regular expression: each guest once, and none is told to have ended', async () => {
    await operate('reboot', { type: 'Reboot', targets: { set: ALL }, reason: 'new kernels' });
    const { status } = await finished('reboot');
    expect(status).to.deep.include({ phase: 'Succeeded', done: '10/10' });
    for (const name of TEN) await untilSaid(host(), name, /^ready/, { times: 2, seconds: BOOT_SECONDS });
    for (const name of TEN) {
      expect(await bootsOf(host(), name), `boots of ${name}`).to.equal(2);
      expect(
        (await saidBy(host(), name)).filter((line) => line.startsWith('power button')),
        name,
      ).to.have.length(1);
      expect(machine(name).status, name).to.deep.include({ phase: 'Running' });
      expect(machine(name).status?.currentOperation, name).to.include({ name: 'reboot', state: 'Done' });
      expect(machine(name).status?.placement?.epoch, name).to.equal(1);
      expect(machine(name).status?.lastTermination, name).to.equal(undefined);
      expect(under().user.story(name), name).to.deep.equal(['Pending Pending', 'Starting Starting', 'Running Running']);
    }
  }).timeout(2 * BOOT_SECONDS * 1000);

  it('one pauses all ten, and another resumes them: they stand still and go on where they were', async () => {
    await operate('pause', { type: 'Pause', targets: { set: ALL } });
    expect((await finished('pause')).status).to.deep.include({ phase: 'Succeeded', done: '10/10' });
    for (const name of TEN) expect(await libvirtStateOf(host(), name), name).to.equal('paused');
    await operate('resume', { type: 'Resume', targets: { set: ALL } });
    expect((await finished('resume')).status).to.deep.include({ phase: 'Succeeded', done: '10/10' });
    for (const name of TEN) expect(await libvirtStateOf(host(), name), name).to.equal('running');
    for (const name of TEN) expect(await bootsOf(host(), name), `boots of ${name}`).to.equal(2);
  }).timeout(240_000);

  it('one hibernates three of them, another restores them: each goes on from where it was', async () => {
    await operate('hibernate', { type: 'Hibernate', targets: { set: 'op-{1-3}' } });
    expect((await finished('hibernate', 300)).status).to.deep.include({ phase: 'Succeeded', done: '3/3' });
    for (const name of TEN.slice(0, 3)) expect(await libvirtStateOf(host(), name), name).to.equal('shut off');
    const boots = await Promise.all(TEN.slice(0, 3).map(async (name) => bootsOf(host(), name)));
    await operate('restore', { type: 'Restore', targets: { set: 'op-{1-3}' } });
    expect((await finished('restore', 300)).status).to.deep.include({ phase: 'Succeeded', done: '3/3' });
    for (const name of TEN.slice(0, 3)) expect(await libvirtStateOf(host(), name), name).to.equal('running');
    expect(await Promise.all(TEN.slice(0, 3).map(async (name) => bootsOf(host(), name)))).to.deep.equal(boots);
  }).timeout(660_000);

  it('one cycles a guest, which then has the memory that was waiting for a restart', async () => {
    const { user } = under();
    await user.change('op-1', { resources: { memory: '192Mi' } });
    await user.sees('op-1', 'Running RestartRequired');
    await operate('cycle', { type: 'Cycle', targets: { set: 'op-1' } });
    expect((await finished('cycle')).status?.phase).to.equal('Succeeded');
    const vm = await user.sees('op-1', 'Running');
    expect(vm.status?.instance?.resources).to.deep.equal({ cpus: 1, memory: '192Mi' });
    expect([vm.status?.placement?.epoch, vm.status?.lastTermination]).to.deep.equal([1, undefined]);
    await untilSaid(host(), 'op-1', /^ready/, { times: 3, seconds: BOOT_SECONDS });
  }).timeout(BOOT_SECONDS * 1000);

  it('what is written wrongly is said, with its place and with what to write', async () => {
    await operate('wrong', { type: 'Reboot', targets: { set: 'op-{1-10' } });
    const { status } = await finished('wrong');
    expect(status?.conditions?.find(({ type }) => type === 'Ready')?.message).to.equal(
      'spec.targets.set: at character 4: this { has no } after it: close the braces, for example web{1-10,15}.',
    );
  }).timeout(60_000);

  it('one that shuts them down is cancelled: what it had begun goes on, and the others run on', async () => {
    const { user } = under();
    await operate('stop', { type: 'Shutdown', targets: { set: 'op-{2-10}' }, parallelism: 1 });
    await user.seesThat('op-2', 'it is to stop', ({ spec }) => spec.powerState === 'Stopped');
    await user.kubectl('patch', 'uvmop', 'stop', '--type', 'merge', '-p', '{"spec":{"cancel":true}}');
    const { status } = await finished('stop');
    expect(status?.phase).to.equal('Cancelled');
    expect(status?.counts?.cancelled).to.be.within(8, 9);
    await user.sees('op-2', 'Stopped', 120);
    for (const name of TEN.slice(4)) expect(await libvirtStateOf(host(), name), name).to.equal('running');
  }).timeout(240_000);

  it('is listed and described so that a person can read it', async () => {
    const { user } = under();
    const listed = (await user.kubectl('get', 'uvmop')).replaceAll(/ +/g, ' ');
    expect(listed).to.match(/^NAME TYPE TARGETS PHASE DONE BY AGE$/m);
    expect(listed).to.match(/^reboot Reboot op-\{1-10\} Succeeded 10\/10 usher-admin \d+[sm]/m);
    expect(listed).to.match(/^wrong Reboot Failed usher-admin \d+[sm]/m);
    const described = await user.kubectl('describe', 'uvmop', 'stop');
    expect(described).to.match(/Message:\s+Cancelled before it was begun/);
    expect(described).to.match(/Counts:/);
  }).timeout(60_000);

  it('one destroys them all: plugs are pulled, and nothing is left', async () => {
    await operate('destroy', { type: 'Destroy', targets: { set: 'op-*' }, parallelism: 100 });
    expect((await finished('destroy')).status).to.deep.include({ phase: 'Succeeded', done: '10/10' });
    expect(await under().user.kubectl('get', 'uvm')).to.equal('');
  }).timeout(120_000);
});
