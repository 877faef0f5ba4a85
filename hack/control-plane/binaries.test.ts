import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { ControlPlaneBinaries } from './binaries.ts';

const SCRIPT = `
  import { controlPlaneBinaries } from '${join(import.meta.dirname, 'binaries.ts')}';
  await controlPlaneBinaries().then(
    (binaries) => console.log(JSON.stringify({ binaries })),
    (error) => console.log(JSON.stringify({ error: error.message, name: error.name })),
  );
`;

interface Outcome {
  readonly binaries?: ControlPlaneBinaries;
  readonly error?: string;
  readonly name?: string;
  readonly shown: string;
}

describe('the programs of the control plane', () => {
  let cache: string;
  beforeEach(async () => {
    cache = await mkdtemp(join(tmpdir(), 'usher-cache-'));
  });
  afterEach(() => rm(cache, { recursive: true }));

  /** In a process of its own, with a cache of its own and a compiler that takes a moment and makes empty files. */
  async function find(environment: Record<string, string> = {}): Promise<Outcome> {
    const env = {
      PATH: [join(import.meta.dirname, 'fixtures'), process.env['PATH']].join(delimiter),
      XDG_CACHE_HOME: cache,
      FAKE_GO_LOG: join(cache, 'go.log'),
      ...environment,
    };
    const args = ['--input-type=module', '--eval', SCRIPT];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { env });
    return { ...(JSON.parse(stdout) as Omit<Outcome, 'shown'>), shown: stderr };
  }

  async function built(): Promise<string[]> {
    return (await readFile(join(cache, 'go.log'), 'utf8')).trim().split('\n');
  }

  async function cached(): Promise<string[]> {
    return (await readdir(join(cache, 'usher', 'control-plane'))).filter((name) => name !== 'build.lock');
  }

  it('are built once, by one of the processes that need them at the same time', async () => {
    const [first, second] = await Promise.all([find(), find()]);
    expect(first.binaries).to.deep.equal(second.binaries);
    expect(await built()).to.deep.equal(['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubectl']);
    expect([first.shown, second.shown].filter((text) => text.includes('building it from source'))).to.have.lengthOf(1);
    expect(await cached()).to.have.lengthOf(1);
  });

  it('are found in the cache from then on, without a word', async () => {
    await find();
    const again = await find({ FAKE_GO_VERSION: 'none' });
    expect(again.shown).to.equal('');
    expect(again.binaries?.etcd).to.match(/usher\/control-plane\/[0-9a-f]{16}\/etcd$/);
  });

  it('are not taken from a build that failed, which shows what the compiler said', async () => {
    const { error } = await find({ FAKE_GO_FAIL: 'kubectl' });
    expect(error).to.match(/^building kubectl v[0-9.]+ failed:\nmain.go:1:1: it does not compile$/);
    expect(await cached()).to.deep.equal([]);
  });

  it('replace what a build left that was killed', async () => {
    await mkdir(join(cache, 'usher', 'control-plane', '0123.building-abc'), { recursive: true });
    await find();
    expect(await cached())
      .to.have.lengthOf(1)
      .and.not.contain('0123.building-abc');
  });

  it('cannot be had without Go, or with one that is too old to fetch another, and the message says what to do', async () => {
    const { error, name } = await find({ FAKE_GO_VERSION: 'go1.19.8' });
    expect(name).to.equal('ControlPlaneUnavailable');
    expect(error).to.contain('Go 1.19 is too old').and.contain('KUBEBUILDER_ASSETS');
    expect((await find({ FAKE_GO_VERSION: 'none' })).error).to.contain('there is no Go');
  });

  it('are those of KUBEBUILDER_ASSETS where it is set, though some be missing', async () => {
    for (const name of ['etcd', 'kube-apiserver']) await writeFile(join(cache, name), '');
    const { binaries } = await find({ KUBEBUILDER_ASSETS: cache });
    expect(binaries).to.deep.equal({ etcd: join(cache, 'etcd'), kubeApiserver: join(cache, 'kube-apiserver') });
  });

  it('are not looked for elsewhere when KUBEBUILDER_ASSETS is wrong', async () => {
    const { error } = await find({ KUBEBUILDER_ASSETS: cache });
    expect(error).to.equal(`KUBEBUILDER_ASSETS=${cache} holds no etcd: correct it, or unset it to build our own`);
  });
});
