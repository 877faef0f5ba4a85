import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type ControlPlaneOptions, startControlPlane, stopControlPlane } from '#hack/control-plane/control-plane.ts';
import { recordedProcesses } from '#hack/process-group.ts';
import { describeOwnControlPlane } from './harness.ts';

interface Started {
  readonly child: ChildProcess;
  readonly pids: Record<string, number>;
  readonly directory: string;
}

async function startElsewhere(options: ControlPlaneOptions): Promise<Started> {
  const script = join(import.meta.dirname, 'fixtures', 'start-control-plane.ts');
  const child = spawn(process.execPath, [script, JSON.stringify(options)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, ...(JSON.parse(line.toString()) as Omit<Started, 'child'>) };
}

async function endsBy(child: ChildProcess, how: () => void): Promise<void> {
  const ended = once(child, 'close');
  how();
  await ended;
}

async function liveAmong(pids: Record<string, number>): Promise<string[]> {
  const states = await Promise.all(
    Object.entries(pids).map(async ([name, pid]) => ({ name, state: await stateOf(pid) })),
  );
  return states.filter(({ state }) => !['Z', 'X', ''].includes(state)).map(({ name }) => name);
}

async function stateOf(pid: number): Promise<string> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return /^State:\s+(\S)/m.exec(status)?.[1] ?? '';
}

async function untilNoneLive(pids: Record<string, number>): Promise<void> {
  while ((await liveAmong(pids)).length > 0) await new Promise((resolve) => setTimeout(resolve, 50));
}

const PROGRAMS = ['etcd', 'kube-apiserver', 'kube-controller-manager'];

describeOwnControlPlane('the processes of a control plane', {}, (cluster) => {
  it('end when the process that started them is killed, and leave nothing behind once the next one starts', async () => {
    const { child, pids, directory } = await startElsewhere({ controllerManager: true });
    expect((await liveAmong(pids)).toSorted()).to.deep.equal(PROGRAMS);
    await endsBy(child, () => child.kill('SIGKILL'));
    await untilNoneLive(pids);
    const next = await startControlPlane();
    await next.stop();
    expect(existsSync(directory)).to.equal(false);
    expect(existsSync(next.directory)).to.equal(false);
  }).timeout(60_000);

  it('end with the process that started them, and their folder goes with them', async () => {
    const { child, pids, directory } = await startElsewhere({});
    await endsBy(child, () => child.stdin?.end());
    await untilNoneLive(pids);
    expect(existsSync(directory)).to.equal(false);
  }).timeout(60_000);

  it('stay when they are detached, until they are stopped by their record', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'usher-detached-'));
    const { child, pids } = await startElsewhere({ directory, detached: true, controllerManager: true });
    await endsBy(child, () => child.kill('SIGKILL'));
    expect((await liveAmong(pids)).toSorted()).to.deep.equal(PROGRAMS);
    expect((await stopControlPlane(directory)).toSorted()).to.deep.equal(PROGRAMS);
    expect(await liveAmong(pids)).to.deep.equal([]);
    expect(await stopControlPlane(directory)).to.deep.equal([]);
    await rm(directory, { recursive: true });
  }).timeout(60_000);

  it('are not started a second time in the same folder', async () => {
    const { directory } = cluster.controlPlane;
    const refused = await startControlPlane({ directory }).then(String, (error: Error) => error.message);
    expect(refused).to.match(/a control plane runs there already \(etcd, pid \d+\): stop it first/);
    expect(await recordedProcesses(directory)).to.have.lengthOf(2);
  });

  it('are refused a port that is taken', async () => {
    const port = Number(new URL(cluster.controlPlane.url).port);
    const refused = await startControlPlane({ port }).then(String, (error: Error) => error.message);
    expect(refused).to.equal(`kube-apiserver: port ${port} on 127.0.0.1 is taken: choose another one`);
  }).timeout(120_000);

  it('show the end of their log where one does not start, and the others end', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'usher-broken-'));
    await writeFile(join(directory, 'tokens.csv'), 'a token without a user\nanother\n');
    const refused = await startControlPlane({ directory }).then(String, (error: Error) => error.message);
    expect(refused).to.contain(`kube-apiserver ended. The end of ${directory}/kube-apiserver.log:`);
    expect(refused).to.contain('token file');
    expect(await recordedProcesses(directory)).to.deep.equal([]);
    await rm(directory, { recursive: true });
  }).timeout(60_000);
});
