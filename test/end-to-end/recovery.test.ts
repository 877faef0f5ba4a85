// A machine that is cut off, with a guard: its guest is started elsewhere once it is dead, and never before. The daemon is
// frozen, so that it neither renews its Lease nor notices that it does not.
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { describeSite } from '../site/describe-site.ts';
import { domainsOn, hostOf } from '../site/guests.ts';
import { guest, on } from '../site/manifest.ts';
import { guestsOf } from './crashes/on-the-machines.ts';
import { makeRoom } from './real-guests/room.ts';

const choice = {
  hypervisor: 'qemu',
  machineNames: ['hv1', 'hv2'],
  heartbeatSeconds: 2,
  guardDeadlineSeconds: 12,
} as const;
const MOVED = 'moved';
const HELD = 'held';
const LOOK_EVERY_MS = 200;

describeSite('a machine that is cut off, with a guard', choice, (under) => {
  const daemon = () => {
    const pid = under().site.programs.pids()['node-daemon-hv1'];
    if (pid === undefined) throw new Error('the daemon of hv1 does not run');
    return pid;
  };
  const placeOf = (vm: string) => under().user.latest(vm).status?.placement;
  const runsOn = async (vm: string) => (await guestsOf(under().site, [vm])).map(({ machine }) => machine);

  before(async function () {
    this.timeout(240_000);
    const { user, site } = under();
    for (const { name } of site.machines) await makeRoom(user, name);
    const recovery = { onLost: 'Restart', lostTimeoutSeconds: 10 } as const;
    await user.apply(guest(MOVED, { ...on('hv1'), recovery }), guest(HELD, on('hv1')));
    for (const vm of [MOVED, HELD]) await user.sees(vm, 'Running', 120);
    await user.seesThat(MOVED, 'its guard knows of it', ({ status }) => status?.instance?.guarded === true, 30);
  });

  it('has its guest started elsewhere once the guard has stopped it, and the others left alone', async () => {
    const { user, site } = under();
    process.kill(daemon(), 'SIGSTOP');
    const everywhere = new Set<string>();
    while (placeOf(MOVED)?.hypervisor === 'hv1') {
      everywhere.add((await runsOn(MOVED)).join());
      await delay(LOOK_EVERY_MS);
    }
    expect(await runsOn(MOVED), 'it was dead when it was placed anew').not.to.include('hv1');
    expect([...everywhere], 'it ran on hv1, and then nowhere').to.deep.equal(['hv1', '']);
    const moved = await user.sees(MOVED, 'Running', 120);
    expect(moved.status?.placement).to.deep.include({ hypervisor: 'hv2', epoch: 2 });
    expect(moved.status?.placement?.proof?.message).to.match(
      /^The guard of hv1 has stopped it: it was to begin 12 s after/,
    );
    expect((await user.warnings(MOVED)).join('\n')).to.match(/Recovered: The guard of hv1 has stopped it/);
    expect(await runsOn(HELD)).to.deep.equal(['hv1']);
    expect(user.story(HELD).at(-1)).to.equal('Lost Lost');
    expect(await domainsOn(hostOf(site, 'hv2'))).to.deep.equal([`default.${MOVED}`]);
  }).timeout(180_000);

  it('settles what is left of it when it returns, before it is called ready', async () => {
    const { user, site } = under();
    process.kill(daemon(), 'SIGCONT');
    await user.sees(HELD, 'Running', 60);
    expect(await domainsOn(hostOf(site, 'hv1'))).to.deep.equal([`default.${HELD}`]);
    await user.seesHypervisor('hv1', 'Ready', 'True');
    expect([await runsOn(MOVED), await runsOn(HELD)]).to.deep.equal([['hv2'], ['hv1']]);
    expect(placeOf(MOVED)).to.deep.include({ hypervisor: 'hv2', epoch: 2 });
  }).timeout(90_000);

  it('is not stopped by a daemon that ends in good order and stays away', async () => {
    const { site } = under();
    await site.programs.stop('node-daemon-hv2');
    await delay(20_000);
    expect(await runsOn(MOVED)).to.deep.equal(['hv2']);
    await site.startNodeDaemon('hv2');
    await under().user.sees(MOVED, 'Running', 60);
  }).timeout(120_000);
});
