import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { systemClock } from '#runtime/clock/system.ts';
import { refusal } from '../conformance/workbench.ts';
import { Connection } from './connection.ts';
import { accessOfKubeconfig } from './kubeconfig.ts';

const FIXTURES = join(import.meta.dirname, '../../../test/tls');

describe('a connection over TLS', () => {
  let server: Server;
  let folder: string;
  let connection: Connection | undefined;
  /** Of every request: the common name of the client's certificate. */
  const clients: (string | undefined)[] = [];
  let accepts: (client: string | undefined) => boolean;
  let handshakes = 0;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'usher-tls-'));
    const [key, cert, ca] = await Promise.all(['server.key', 'server.crt', 'authority.crt'].map(fixture));
    clients.length = 0;
    handshakes = 0;
    accepts = () => true;
    server = createServer({ key, cert, ca, requestCert: true, rejectUnauthorized: false }, (request, response) => {
      const { subject } = (request.socket as TLSSocket).getPeerCertificate();
      const client: unknown = subject?.CN;
      clients.push(typeof client === 'string' ? client : undefined);
      response.statusCode = accepts(clients.at(-1)) ? 200 : 401;
      response.end('{}');
    });
    server.on('secureConnection', () => {
      handshakes += 1;
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  afterEach(async () => {
    await connection?.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true });
  });

  function fixture(name: string): Promise<string> {
    return readFile(join(FIXTURES, name), 'utf8');
  }

  /** A kubeconfig beside copies of the fixtures. */
  async function connect(cluster: string, user: string): Promise<Connection> {
    const { port } = server.address() as AddressInfo;
    await Promise.all(
      ['authority.crt', 'client.crt', 'client.key'].map((name) => copyFile(join(FIXTURES, name), join(folder, name))),
    );
    const path = join(folder, 'config');
    await writeFile(
      path,
      `{current-context: c, contexts: [{name: c, context: {cluster: c, user: u}}], users: [{name: u, user: {${user}}}],
        clusters: [{name: c, cluster: {server: "https://localhost:${port}", ${cluster}}}]}`,
    );
    connection = new Connection({ access: await accessOfKubeconfig(path), clock: systemClock, userAgent: 'tester/1' });
    return connection;
  }

  const get = { method: 'GET', path: '/' } as const;
  const trusting = 'certificate-authority: authority.crt';

  it('trusts the authority of the kubeconfig and shows its certificate', async () => {
    await (await connect(trusting, 'client-certificate: client.crt, client-key: client.key')).request(get);
    expect(clients).to.deep.equal(['client']);
  });

  it('takes authority and certificate from within the kubeconfig', async () => {
    const data = async (name: string) => Buffer.from(await fixture(name)).toString('base64');
    const cluster = `certificate-authority-data: ${await data('authority.crt')}`;
    const user = `client-certificate-data: ${await data('client.crt')}, client-key-data: ${await data('client.key')}`;
    await (await connect(cluster, user)).request(get);
    expect(clients).to.deep.equal(['client']);
  });

  it('trusts nobody else, unless told to', async () => {
    const { message } = await refusal((await connect('proxy-url: ""', '')).request(get), 'Unreachable');
    expect(message).to.match(/certificate/);
    await connection?.close();
    await (await connect('insecure-skip-tls-verify: true', '')).request(get);
    expect(clients).to.deep.equal([undefined]);
  });

  it('expects the name that the kubeconfig says', async () => {
    await (await connect(`${trusting}, tls-server-name: api.test`, '')).request(get);
    await connection?.close();
    const wrong = await connect(`${trusting}, tls-server-name: other.test`, '');
    expect((await refusal(wrong.request(get), 'Unreachable')).message).to.contain('other.test');
  });

  it('shows a renewed certificate over new connections, also where the old one is no longer accepted', async () => {
    await connect(trusting, 'client-certificate: client.crt, client-key: client.key');
    await connection?.request(get);
    await connection?.request(get);
    expect(handshakes).to.be.at.most(2);
    await copyFile(join(FIXTURES, 'server.crt'), join(folder, 'client.crt'));
    await copyFile(join(FIXTURES, 'server.key'), join(folder, 'client.key'));
    accepts = (client) => client === 'server';
    await connection?.request(get);
    expect(clients.at(-1)).to.equal('server');
  });
});
