// Two operators side by side: one leads, whatever happens to them, and no VM is ever decided twice.
import { expect } from 'chai';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { until } from '#hack/until.ts';
import { describeSite } from '../site/describe-site.ts';
import { guest } from '../site/manifest.ts';

const FIRST = 'operator';
const SECOND = 'second-operator';
/** The Lease of a leader that says nothing more is over after 15 s; the next one asks every 2 s. */
const TAKE_OVER_SECONDS = 60;

const choice = { hypervisor: 'simulated', machineNames: ['hv1', 'hv2'], heartbeatSeconds: 2 } as const;

describeSite('two operators', choice, (under) => {
  const leader = async (): Promise<string> =>
    under().user.kubectl(
      'get',
      'lease',
      '-n',
      'usher-system',
      'usher-operator',
      '-o',
      'jsonpath={.spec.holderIdentity}',
    );
  const batch = (name: string) => Array.from({ length: 10 }, (_, index) => `${name}-${index + 1}`);
  const apply = async (names: readonly string[]) =>
    under().user.apply(...names.map((name) => guest(name, { resources: { memory: '64Mi', cpus: 1 } })));
  const allRun = async (names: readonly string[], seconds = TAKE_OVER_SECONDS) => {
    for (const name of names) await under().user.sees(name, 'Running', seconds);
  };
  const placementsOf = (name: string) => {
    const placed = under()
      .user.machines.versions(name)
      .flatMap(({ status }) => status?.placement ?? []);
    return new Set(placed.map((placement) => JSON.stringify(placement)));
  };
  const expectDecidedOnce = (names: readonly string[]) => {
    for (const name of names) {
      expect([...placementsOf(name)], name).to.have.lengthOf(1);
      expect(decisionsIn(under().user.latest(name)), name).to.deep.equal(['vm.start.request']);
    }
  };

  it('share the work so that one of them does all of it', async () => {
    const { site } = under();
    await apply(['before']);
    await allRun(['before']);
    const leading = await leader();
    await site.startOperator(SECOND);
    await apply(batch('shared'));
    await allRun(batch('shared'));
    expect(await leader()).to.equal(leading);
    expectDecidedOnce(batch('shared'));
  }).timeout(120_000);

  it('the leader is killed in the middle of its work: the other goes on, and decides nothing twice', async () => {
    const { site, user } = under();
    const leading = await leader();
    const names = [...batch('early'), ...batch('late')];
    const applying = apply(batch('early'));
    await user.seesThat('early-3', 'it is there', () => true);
    await site.programs.kill(FIRST);
    await applying;
    await apply(batch('late'));
    await allRun(names);
    expect(await leader()).to.not.equal(leading);
    expectDecidedOnce(names);
    await user.change('before', { powerState: 'Stopped' });
    await user.sees('before', 'Stopped');
  }).timeout(180_000);

  it('a leader that freezes is replaced, and writes nothing when it thaws', async () => {
    const { site } = under();
    await site.startOperator(FIRST);
    const frozen = await leader();
    const { [SECOND]: pid = 0 } = site.programs.pids();
    process.kill(pid, 'SIGSTOP');
    try {
      await apply(batch('frozen'));
      await allRun(batch('frozen'));
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await apply(batch('thawed'));
    await allRun(batch('thawed'));
    expectDecidedOnce([...batch('frozen'), ...batch('thawed')]);
    expect(await leader()).to.not.equal(frozen);
  }).timeout(180_000);

  it('a leader that is asked to end hands over at once', async () => {
    const { site } = under();
    const leading = await leader();
    await site.programs.stop(FIRST);
    await until('the other one leads', 10, async () => !['', leading].includes(await leader()));
    await apply(batch('handed'));
    await allRun(batch('handed'));
    expectDecidedOnce(batch('handed'));
  }).timeout(120_000);
});

function decisionsIn({ status }: VirtualMachine): string[] {
  return (status?.decisions ?? []).map(({ event }) => event);
}
