import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { accessOfPod } from './in-cluster.ts';
import { accessOfKubeconfig } from './kubeconfig.ts';
import { addressInPod, defaultKubeconfig } from './options.ts';

const CONFIG = `
apiVersion: v1
kind: Config
current-context: two
clusters:
- {name: one, cluster: {server: "https://one:6443/", certificate-authority: ca.crt, tls-server-name: api}}
- {name: two, cluster: {server: "https://two:6443", insecure-skip-tls-verify: true}}
- {name: far, cluster: {server: "https://far:6443", proxy-url: "http://proxy"}}
contexts:
- {name: one, context: {cluster: one, user: files}}
- {name: two, context: {cluster: two, user: plugin}}
- {name: far, context: {cluster: far, user: plugin}}
- {name: nobody, context: {cluster: one, user: missing}}
users:
- {name: files, user: {client-certificate: pki/me.crt, client-key: pki/me.key, tokenFile: token}}
- {name: plugin, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: ./bin/login, args: [now]}}}
`;

describe('access to a cluster', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'usher-kubeconfig-'));
    file = join(folder, 'config');
    await writeFile(file, CONFIG);
  });
  afterEach(() => rm(folder, { recursive: true }));

  const failure = (path: string, context?: string): Promise<string> =>
    accessOfKubeconfig(path, context).then(
      () => 'it was accepted',
      (error: Error) => error.message,
    );

  it('is that of the current context, with paths from where the file lies', async () => {
    const { server, user, tls } = await accessOfKubeconfig(file);
    expect(server).to.equal('https://two:6443');
    expect(user.exec).to.deep.include({ command: join(folder, 'bin/login'), args: ['now'] });
    expect(tls()).to.deep.equal({ rejectUnauthorized: false });
  });

  it('is that of another context where one is named, and reads files when they are needed', async () => {
    await mkdir(join(folder, 'pki'));
    for (const named of ['ca.crt', 'token', 'pki/me.crt', 'pki/me.key']) await writeFile(join(folder, named), '');
    const { server, user, tls } = await accessOfKubeconfig(file, 'one');
    expect(server).to.equal('https://one:6443');
    expect([user.certFile, user.keyFile]).to.deep.equal([join(folder, 'pki/me.crt'), join(folder, 'pki/me.key')]);
    expect(user.authProvider).to.deep.equal({ name: 'tokenFile', config: { tokenFile: join(folder, 'token') } });
    for (const ca of ['first', 'second']) {
      await writeFile(join(folder, 'ca.crt'), ca);
      expect(tls()).to.deep.equal({ ca: Buffer.from(ca), servername: 'api', rejectUnauthorized: true });
    }
  });

  it('is refused with what is wrong and where', async () => {
    expect(await failure(join(folder, 'none'))).to.contain(
      `the kubeconfig ${folder}/none cannot be used: there is no such file`,
    );
    expect(await failure(folder)).to.contain('cannot be used: it is a directory');
    expect(await failure(file, 'three')).to.contain('it has no context "three" (there is: one, two, far, nobody)');
    expect(await failure(file, 'one')).to.contain(`it names ${folder}/ca.crt, and there is no such file`);
    expect(await failure(file, 'nobody')).to.contain('it has no user "missing" (there is: files, plugin)');
    expect(await failure(file, 'far')).to.contain('cluster "far" asks for a proxy (proxy-url), which is not supported');
    await writeFile(file, 'just text');
    expect(await failure(file)).to.contain('it holds no configuration');
    await writeFile(file, '{clusters: [{name: a}]}');
    expect(await failure(file)).to.contain('cannot be used');
    await writeFile(file, CONFIG.replace('current-context: two', ''));
    expect(await failure(file)).to.contain('it has no current-context: choose one with kubectl config use-context');
    await writeFile(file, CONFIG.replace('https://two:6443', 'two:6443'));
    expect(await failure(file)).to.contain(
      'the server of cluster "two" must be a URL such as https://10.0.0.1:6443, not "two:6443"',
    );
    await writeFile(file, CONFIG.replace('{exec: {', '{tokenFile: gone, exec: {'));
    expect(await failure(file)).to.contain(`it names ${folder}/gone, and there is no such file`);
  });

  it('of a pod is what kubelet gives it', async () => {
    await mkdir(join(folder, 'account'));
    await writeFile(join(folder, 'account/ca.crt'), 'authority');
    const { server, tls, user } = accessOfPod({ host: 'fd00::1', port: '443' }, join(folder, 'account'));
    expect(server).to.equal('https://[fd00::1]:443');
    expect(tls()).to.deep.equal({ ca: Buffer.from('authority'), rejectUnauthorized: true });
    expect(user.authProvider).to.deep.equal({
      name: 'tokenFile',
      config: { tokenFile: join(folder, 'account/token') },
    });
  });

  it('is found by the environment', () => {
    expect(addressInPod({ KUBERNETES_SERVICE_HOST: 'h', KUBERNETES_SERVICE_PORT: '1' })).to.deep.equal({
      host: 'h',
      port: '1',
    });
    expect(addressInPod({})).to.equal(undefined);
    expect(defaultKubeconfig({ KUBECONFIG: ':/a/b:/c' })).to.equal('/a/b');
    expect(defaultKubeconfig({})).to.match(/\.kube\/config$/);
  });
});
