// Real guests move from one real libvirt to another while they run, as a hypervisor is emptied.
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { findCondition } from '#crds/conditions.ts';
import { activeMigration, verdictOn } from '#crds/derive/migration.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { type HypervisorHost, virsh } from '#hack/hypervisor-host/host.ts';
import { migrationUriOf } from '#hack/hypervisor-host/host-network.ts';
import { describeSite, type SiteUnderTest } from '../site/describe-site.ts';
import { bootsOf, domainOf, domainsOn, hostOf, libvirtStateOf, saidBy, untilSaid } from '../site/guests.ts';
import { guest, on } from '../site/manifest.ts';
import { operating } from './operating.ts';
import { makeRoom } from './real-guests/room.ts';

/** So slow that the memory of a guest that has booted is on its way for ten seconds and more. */
const SLOW = ['--migration-bandwidth', '3', '--migrations-per-hypervisor', '2'];
const choice = {
  hypervisor: 'qemu',
  machineNames: ['hv1', 'hv2'],
  heartbeatSeconds: 2,
  operatorArguments: SLOW,
} as const;
const COUNTER = 'counter';
const OTHERS = ['second', 'third'];
const BY_HAND = 'by-hand';
const SECONDS = 240;
const LONGER_THAN_A_RESTART_MS = 8_000;

describeSite('guests that move', choice, (under) => {
  const { operate, finished } = operating(under);
  const where = (name: string) => under().user.latest(name).status?.placement?.hypervisor;
  const drain = async (name: string, maintenance: boolean) => under().user.changeHypervisor(name, { maintenance });
  const arrives = async (name: string, hypervisor: string) =>
    under().user.seesThat(name, `it runs on ${hypervisor}`, (vm) => runsOn(vm, hypervisor), SECONDS);
  const moves = async (name: string) => under().user.seesThat(name, 'its memory is on its way', isSending, SECONDS);
  /** It went on counting, without a gap and without another boot. */
  const expectCounting = async () => {
    const host = hostOf(under().site, 'hv1');
    const before = (await countsOf(under())).length;
    await untilSaid(host, COUNTER, /^count/, { times: before + 3 });
    const counts = await countsOf(under());
    expect(counts, 'the count').to.deep.equal(counts.map((_, index) => index + 1));
    expect(await bootsOf(host, COUNTER), 'boots').to.equal(1);
  };

  const start = async (...names: string[]) => {
    const { user, site } = under();
    await user.apply(...names.map((name) => guest(name, on('hv1'), ...(name === COUNTER ? ['usher.count=1'] : []))));
    for (const name of names) {
      await user.sees(name, 'Running');
      await untilSaid(hostOf(site, 'hv1'), name, /^ready/);
    }
  };

  before(async function () {
    this.timeout(300_000);
    const { user, site } = under();
    for (const { name } of site.machines) await makeRoom(user, name);
    await start(COUNTER);
    await user.apply(guest('resting', { ...on('hv1'), powerState: 'Stopped' }));
  });

  it('say that they can', () => {
    const migratable = findCondition(under().user.latest(COUNTER).status?.conditions, 'Migratable');
    expect(migratable).to.include({ status: 'True' });
  });

  it('stay and run on where the maintenance is called off while their memory is on its way', async () => {
    const { user } = under();
    await drain('hv1', true);
    const { status } = await moves(COUNTER);
    expect(status?.migration?.source?.progress?.totalBytes).to.be.greaterThan(100 * 2 ** 20);
    expect(findCondition(status?.conditions, 'Ready')).to.include({ status: 'True', reason: 'Migrating' });
    await drain('hv1', false);
    const stayed = await user.seesThat(
      COUNTER,
      'it stays',
      (vm) => verdictOn(vm.status)?.result === 'Aborted',
      SECONDS,
    );
    expect(runsOn(stayed, 'hv1')).to.equal(true);
    await expectCounting();
    expect(await domainsOn(hostOf(under().site, 'hv2'))).not.to.include(domainOf(COUNTER));
  }).timeout(SECONDS * 1000);

  it('leave a hypervisor in maintenance, two at a time, and count on', async () => {
    const { user } = under();
    await start(...OTHERS);
    await drain('hv1', true);
    const draining = await user.seesHypervisor('hv1', 'Draining', 'True', SECONDS);
    expect(draining.message)
      .to.match(/^Guests left: 3\./)
      .and.match(/Nothing is stopped\.$/);
    const began = Date.now();
    await moves(COUNTER);
    for (const name of [COUNTER, ...OTHERS]) await arrives(name, 'hv2');
    expect(Date.now() - began, 'how long that took').to.be.greaterThan(10_000);
    const drained = await user.seesHypervisor('hv1', 'Draining', 'False', SECONDS);
    expect(drained.reason).to.equal('Drained');
    await expectCounting();
    expect(await domainsOn(hostOf(under().site, 'hv1')), 'left behind').to.deep.equal([]);
    expect(where('resting')).to.equal(undefined);
  }).timeout(3 * SECONDS * 1000);

  it('run on, once, when the operator and both daemons are killed in the middle', async () => {
    const { user, site } = under();
    await drain('hv1', false);
    await drain('hv2', true);
    await moves(COUNTER);
    const victims = ['operator', 'node-daemon-hv1', 'node-daemon-hv2'];
    await Promise.all(victims.map(async (name) => site.programs.kill(name)));
    await site.startOperator();
    for (const name of ['hv1', 'hv2']) await site.startNodeDaemon(name);
    for (const name of [COUNTER, ...OTHERS]) await arrives(name, 'hv1');
    await expectCounting();
    for (const name of [COUNTER, ...OTHERS])
      expect(await libvirtStateOf(hostOf(site, 'hv1'), name), name).to.equal('running');
    expect(await domainsOn(hostOf(site, 'hv2')), 'left behind').to.deep.equal([]);
    expect((await user.warnings(COUNTER)).filter((words) => words.startsWith('Missing'))).to.deep.equal([]);
  }).timeout(4 * SECONDS * 1000);

  it('go where an operation sends them, and no further where it says that they are there', async () => {
    await drain('hv2', false);
    await operate('away', { type: 'Migrate', targets: { set: COUNTER }, hypervisorHints: 'hv2' });
    const { status } = await finished('away', SECONDS);
    expect(status?.results?.[0]?.message).to.equal('The guest has moved from hv1 to hv2, and runs there.');
    await arrives(COUNTER, 'hv2');
    await expectCounting();
    await operate('again', { type: 'Migrate', targets: { set: COUNTER }, hypervisorHints: 'hv2' });
    expect((await finished('again', 30)).status?.results?.[0]?.message).to.equal('It runs on hv2 already.');
  }).timeout(2 * SECONDS * 1000);

  it('are told missing where somebody else moves them, are not started twice, and are found when they are moved back', async () => {
    const { user, site } = under();
    const [here, there] = [hostOf(site, 'hv1'), hostOf(site, 'hv2')];
    await start(BY_HAND);
    const byHand = async (from: HypervisorHost, to: HypervisorHost) => {
      const uri = migrationUriOf(to.network);
      const transport = `tcp://${new URL(uri).hostname}`;
      await virsh(from, `migrate --live --p2p ${domainOf(BY_HAND)} ${uri} --migrateuri ${transport}`);
    };
    await user.change(BY_HAND, { recovery: { onMissing: 'Recreate' } });
    await byHand(here, there);
    const { status } = await user.seesThat(BY_HAND, 'it is missing', (vm) => vm.status?.phase === 'Missing', SECONDS);
    expect(status?.lastTermination?.reason).to.equal('MovedAway');
    await delay(LONGER_THAN_A_RESTART_MS);
    expect([await libvirtStateOf(here, BY_HAND), await libvirtStateOf(there, BY_HAND)]).to.deep.equal([
      'shut off',
      'running',
    ]);
    await byHand(there, here);
    await user.sees(BY_HAND, 'Running', SECONDS);
  }).timeout(2 * SECONDS * 1000);
});

async function countsOf({ site }: SiteUnderTest): Promise<number[]> {
  const said = await saidBy(hostOf(site, 'hv1'), COUNTER);
  return said.flatMap((line) => /^count (\d+)$/.exec(line)?.[1] ?? []).map(Number);
}

function runsOn(vm: VirtualMachine, hypervisor: string): boolean {
  const { status } = vm;
  const here = status?.placement?.hypervisor === hypervisor && status.phase === 'Running';
  return here && status.instance?.epoch === status.placement?.epoch && activeMigration(status) === undefined;
}

function isSending({ status }: VirtualMachine): boolean {
  return (activeMigration(status)?.source?.progress?.processedBytes ?? 0) > 0;
}
