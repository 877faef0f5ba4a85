// The data of the control plane is lost while real guests run. A new one takes its place, empty but for what a site backs
// up: from what the daemons report alone every VM is written anew, and no guest notices anything.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { signedPayload } from '#crds/derive/signed-payload.ts';
import type { DomainReport } from '#crds/v1alpha1/domain-report.ts';
import {
  INSTANCE_UUID_ANNOTATION,
  NODE_DAEMON_SERVICE_ACCOUNT,
  REQUESTER_ANNOTATION,
  SYSTEM_NAMESPACE,
} from '#crds/v1alpha1/names.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { VirtualMachineOperation } from '#crds/v1alpha1/virtual-machine-operation.ts';
import { apiRequest, tokenAccess } from '#hack/control-plane/api-request.ts';
import { kubectl } from '#hack/control-plane/kubectl.ts';
import { nodeBoundToken } from '#hack/control-plane/service-account-token.ts';
import { installUsher } from '#hack/site/install.ts';
import type { Site } from '#hack/site/site.ts';
import { until } from '#hack/until.ts';
import { describeSite, untilInForce } from '../site/describe-site.ts';
import { bootsOf, countsOf, domainsOn, hostOf, untilSaid } from '../site/guests.ts';
import { guest, on } from '../site/manifest.ts';
import { User } from '../site/user.ts';
import { guestsOf, startsOf } from './crashes/on-the-machines.ts';
import { makeRoom } from './real-guests/room.ts';

const choice = { hypervisor: 'qemu', machineNames: ['hv1', 'hv2'], heartbeatSeconds: 2 } as const;
const COUNTER = 'counter';
const WEB = 'web';
const RESTING = 'resting';
const ALL = [COUNTER, WEB, RESTING];
const RUNNING = [COUNTER, WEB];
/** A machine that somebody else has in his hands, with the token of its daemon. */
const HOSTILE = 'hv9';
const FORGED = '7f8e6a50-0000-4000-8000-000000000001';

/** What of a guest must be the same for ever after. */
interface Before {
  readonly machines: ReadonlyMap<string, VirtualMachine>;
  readonly pids: readonly string[];
  readonly starts: Record<string, number>;
}

describeSite('the loss of the data of the control plane', choice, (under) => {
  let earlier: Before;
  let backup: string;
  /** The one that watches the new control plane. */
  let user: User;
  const site = () => under().site;
  const machineBefore = (name: string) => earlier.machines.get(name) ?? never(name);

  before(async function () {
    this.timeout(300_000);
    user = under().user;
    for (const { name } of site().machines) await makeRoom(user, name);
    await user.apply(
      guest(COUNTER, { ...on('hv1'), restartPolicy: 'Always', parameters: { class: 'gold' } }, 'usher.count=1'),
      guest(WEB, on('hv2')),
      guest(RESTING, on('hv2')),
    );
    for (const name of ALL) await user.sees(name, 'Running', 180);
    await untilSaid(hostOf(site(), 'hv1'), COUNTER, /^count/);
    // A second permission, which the one given after the loss must not repeat, unless it is still held.
    for (const powerState of ['Stopped', 'Running', 'Stopped'] as const) {
      await user.change(RESTING, { powerState });
      await user.sees(RESTING, powerState, 120);
    }
    earlier = await stateOfGuests(site(), user);
    backup = await backUp(site());
  });

  after(async () => {
    await user.machines.stop();
    await user.hypervisors.stop();
  });

  it('does nothing to any guest', async () => {
    await site().programs.stop('operator');
    await site().controlPlane.loseData();
    await installUsher(site().controlPlane, () => undefined);
    await untilInForce(site());
    expect((await guestsOf(site(), ALL)).map(inWords)).to.deep.equal(earlier.pids);
  }).timeout(240_000);

  it('is a hold of the new one: what GitOps declares first is not started a second time, and operations wait', async () => {
    user = new User(site());
    user.machines.follow();
    user.hypervisors.follow();
    await user.kubectl('apply', '--server-side', '--filename', backup);
    await forge(site(), machineBefore(COUNTER));
    await gitOps(user);
    await site().startOperator();
    for (const name of RUNNING) await user.sees(name, 'Scheduling SiteOnHold');
    await user.kubectl('create', '--filename', await startOf(site(), RESTING));
    await until('the operation says that it waits', 30, async () =>
      /SiteOnHold/.test(JSON.stringify((await operation(user)).status)),
    );
    expect(await holdOf(user)).to.match(/^Hold \S+: nothing is placed\. .*Waiting for reports of hv1, hv2\./);
    await site().programs.stop('node-daemon-hv1');
    await site().startNodeDaemon('hv1');
    await until('hv1 has reported', 60, async () => /Waiting for reports of hv2\./.test(await holdOf(user)));
    expect((await guestsOf(site(), ALL)).map(inWords)).to.deep.equal(earlier.pids);
  }).timeout(180_000);

  it('is over when the last machine has reported, and every guest has its VM again as it was', async () => {
    await site().programs.stop('node-daemon-hv2');
    await site().startNodeDaemon('hv2');
    for (const name of RUNNING) await user.sees(name, 'Running', 120);
    await until('the hold is over', 60, async () => (await holdOf(user)) === '');
    for (const name of ALL) {
      const old = machineBefore(name);
      const { metadata, status } = firstPlaced(user, name); // the operation has gone on by now
      expect(metadata.annotations?.[INSTANCE_UUID_ANNOTATION], name).to.equal(old.metadata.uid);
      expect(status?.placement?.hypervisor, name).to.equal(old.status?.placement?.hypervisor);
      expect(status?.placement?.epoch, name).to.equal(old.status?.placement?.epoch);
      expect(status?.managed, name).to.deep.equal({ origin: 'Recovered' });
    }
    const resting = firstPlaced(user, RESTING);
    expect(resting.spec).to.deep.equal({ ...machineBefore(RESTING).spec, powerState: resting.spec.powerState });
    expect(resting.metadata.annotations?.[REQUESTER_ANNOTATION]).to.equal(
      machineBefore(RESTING).metadata.annotations?.[REQUESTER_ANNOTATION],
    );
    for (const { name } of site().machines) await user.seesHypervisor(name, 'Schedulable', 'True');
  }).timeout(240_000);

  it('has restarted none of them: they are the same processes, and the one that counts has counted on', async () => {
    const running = (await guestsOf(site(), RUNNING)).map(inWords);
    expect(running).to.deep.equal(earlier.pids);
    expect(await startsOf(site(), RUNNING)).to.deep.equal(pick(earlier.starts, RUNNING));
    expect(await domainsOn(hostOf(site(), 'hv1'))).not.to.include(`default.${WEB}`);
    expect(await domainsOn(hostOf(site(), 'hv2'))).not.to.include(`default.${COUNTER}`);
    const host = hostOf(site(), 'hv1');
    const counted = (await countsOf(host, COUNTER)).length;
    await untilSaid(host, COUNTER, /^count/, { times: counted + 3 });
    const counts = await countsOf(host, COUNTER);
    expect(counts, 'the count').to.deep.equal(counts.map((_, index) => index + 1));
    expect(await bootsOf(host, COUNTER), 'boots').to.equal(1);
  }).timeout(120_000);

  it('has told what a hostile machine made up, and nothing more', async () => {
    const reports = await reportsOf(user);
    const verdicts = reports.map(({ spec, status }) => `${spec.nodeName} ${status?.verdict?.reason}`);
    expect(verdicts).to.have.members([`${HOSTILE} OfAnotherNode`, `${HOSTILE} SignatureInvalid`]);
    expect(user.machines.names()).to.have.members(ALL);
    const warnings = await user.kubectl('get', 'events', '--all-namespaces', '--output', 'json');
    expect(warnings).to.include('SignatureInvalid').and.to.include('OfAnotherNode');
  });

  it('leaves VMs that live on like all others: what waited is done', async () => {
    await until('the operation is over', 180, async () => (await operation(user)).status?.completionTime !== undefined);
    expect((await operation(user)).status).to.include({ phase: 'Succeeded', done: '1/1' });
    const resting = await user.sees(RESTING, 'Running', 120);
    const { hypervisor, epoch = 0 } = machineBefore(RESTING).status?.placement ?? {};
    // Where its daemon has not told this control plane yet that it had been stopped, it is started under the same permission.
    const { hypervisor: where, epoch: now } = resting.status?.placement ?? never('a placement');
    expect(now).to.be.within(epoch, epoch + 1);
    if (now === epoch) expect(where).to.equal(hypervisor);
    await user.remove(...ALL);
    for (const name of ALL) await user.untilGone(name, 120);
    for (const { name } of site().machines) expect(await domainsOn(hostOf(site(), name))).to.deep.equal([]);
  }).timeout(480_000);
});

/** As its guest was given back to it. */
function firstPlaced({ machines }: User, name: string): VirtualMachine {
  return machines.versions(name).find(({ status }) => status?.managed?.origin === 'Recovered') ?? never(name);
}

async function stateOfGuests(site: Site, user: User): Promise<Before> {
  return {
    machines: new Map(ALL.map((name) => [name, user.latest(name)])),
    pids: (await guestsOf(site, ALL)).map(inWords),
    starts: await startsOf(site, ALL),
  };
}

function inWords({ vm, machine, pid }: { vm: string; machine: string; pid: number }): string {
  return `${vm} ${machine} ${pid}`;
}

/** What docs/disaster-recovery.md says, as it says it. */
async function backUp(site: Site): Promise<string> {
  const what = ['secret/usher-signing-key', 'configmap/usher-site', '--namespace', SYSTEM_NAMESPACE];
  const text = await kubectl(site.controlPlane, 'get', ...what, '--output', 'yaml');
  const file = join(site.options.directory, 'usher-site-backup.yaml');
  await writeFile(file, text.replaceAll(/^ *(uid|resourceVersion|creationTimestamp):.*\n/gm, ''));
  return file;
}

/** The same names, from manifests: one for the other machine, and one as it was. */
async function gitOps(user: User): Promise<void> {
  await user.apply(guest(WEB, { ...on('hv1') }), guest(COUNTER, { ...on('hv1') }, 'usher.count=1'));
}

async function startOf(site: Site, name: string): Promise<string> {
  const metadata = { name: 'start', namespace: 'default' };
  const spec = { type: 'Start', targets: { set: name } };
  const file = join(site.options.directory, 'start-operation.json');
  const object = { apiVersion: 'usher.dev/v1alpha1', kind: 'VirtualMachineOperation', metadata, spec };
  await writeFile(file, JSON.stringify(object));
  return file;
}

async function operation(user: User): Promise<VirtualMachineOperation> {
  return JSON.parse(await user.kubectl('get', 'uvmop', 'start', '--output', 'json')) as VirtualMachineOperation;
}

async function holdOf(user: User): Promise<string> {
  return user.kubectl('get', 'cm', 'usher-site', '--namespace', SYSTEM_NAMESPACE, '--output', 'jsonpath={.data.hold}');
}

async function reportsOf(user: User): Promise<DomainReport[]> {
  return (JSON.parse(await user.kubectl('get', 'udr', '--output', 'json')) as { items: DomainReport[] }).items;
}

/** One guest that never was, and one that runs on another machine, with all that the operator had signed for that. */
async function forge({ controlPlane }: Site, { metadata, spec, status }: VirtualMachine): Promise<void> {
  const { access, url, caFile } = controlPlane;
  await apiRequest(access, { method: 'POST', path: '/api/v1/nodes', body: nodeNamed(HOSTILE) });
  const subject = { namespace: SYSTEM_NAMESPACE, serviceAccount: NODE_DAEMON_SERVICE_ACCOUNT, node: HOSTILE };
  const hostile = tokenAccess(url, await readFile(caFile, 'utf8'), await nodeBoundToken(access, subject));
  const { granted = never('a grant'), placement = never('a placement') } = status ?? {};
  const vm = { apiVersion: 'usher.dev/v1alpha1', kind: 'VirtualMachine', metadata, spec } as const;
  const payload = signedPayload(vm, granted, placement);
  const { signature } = placement;
  const made = payload.replaceAll(metadata.uid, FORGED).replaceAll('"hv1"', `"${HOSTILE}"`);
  for (const [uuid, text] of [
    [metadata.uid, payload],
    [FORGED, made],
  ] as const) {
    const report = `${HOSTILE}.${uuid}`;
    const path = '/apis/usher.dev/v1alpha1/domainreports';
    await apiRequest(hostile, { method: 'POST', path, body: reportNamed(report, uuid) });
    const marks = { namespace: 'default', name: 'forged', uid: uuid, epoch: 7, payload: text, signature };
    const domain = { name: 'forged', reason: 'Orphaned', powerState: 'Running', cpus: 1, memory: '1Gi', bootID: 'b' };
    await apiRequest(hostile, {
      method: 'PATCH',
      path: `${path}/${report}/status`,
      contentType: 'application/merge-patch+json',
      body: { status: { domain, marks } },
    });
  }
}

function nodeNamed(name: string): object {
  return { apiVersion: 'v1', kind: 'Node', metadata: { name } };
}

function reportNamed(name: string, uuid: string): object {
  const spec = { nodeName: HOSTILE, uuid };
  return { apiVersion: 'usher.dev/v1alpha1', kind: 'DomainReport', metadata: { name }, spec };
}

function pick(from: Record<string, number>, names: readonly string[]): Record<string, number> {
  return Object.fromEntries(names.map((name) => [name, from[name] ?? 0]));
}

function never(what: string): never {
  throw new Error(`${what}: there is none`);
}
