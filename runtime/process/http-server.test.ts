import { connect } from 'node:net';
import { expect } from 'chai';
import { Registry } from 'prom-client';
import { type HttpServer, type HttpServerOptions, startHttpServer } from './http-server.ts';
import { silentLogger } from './log.ts';
import { counter } from './metrics.ts';

describe('the server for metrics and health', () => {
  let server: HttpServer;
  let fault: string | undefined;

  async function start(changes: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
    const metrics = new Registry();
    counter(metrics, 'usher_tests_total', 'Tests.').inc(3);
    const healthy = () => ({ process: undefined });
    const ready = () => ({ cache: undefined, leader: fault });
    return startHttpServer({
      address: '127.0.0.1',
      port: 0,
      metrics,
      healthy,
      ready,
      logger: silentLogger,
      ...changes,
    });
  }

  async function get(path: string, init?: RequestInit) {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, init);
    return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
  }

  beforeEach(async () => {
    fault = undefined;
    server = await start();
  });

  afterEach(async () => server.close());

  it('serves metrics in the format of Prometheus', async () => {
    const { status, type, body } = await get('/metrics');
    expect([status, type]).to.deep.equal([200, 'text/plain; version=0.0.4; charset=utf-8']);
    expect(body).to.include('usher_tests_total 3');
  });

  it('is ready when every check is, and says which one is not, and why', async () => {
    expect(await get('/readyz')).to.include({ status: 200, body: '[+] cache\n[+] leader\nok\n' });
    fault = 'waiting for the lease';
    const failed = { status: 503, body: '[+] cache\n[-] leader: waiting for the lease\nfailed\n' };
    expect(await get('/readyz')).to.include(failed);
    expect(await get('/healthz')).to.include({ status: 200 });
  });

  it('answers HEAD without a body, refuses other methods and says what there is', async () => {
    expect(await get('/healthz', { method: 'HEAD' })).to.include({ status: 200, body: '' });
    expect(await get('/healthz', { method: 'POST' })).to.include({ status: 405 });
    expect((await get('/elsewhere')).body).to.match(/\/metrics/);
  });

  it('survives a check that throws', async () => {
    const broken = await start({
      ready: () => {
        throw new Error('broken');
      },
    });
    const response = await fetch(`http://127.0.0.1:${broken.port}/readyz`);
    expect(response.status).to.equal(500);
    await broken.close();
  });

  it('says which port is taken', async () => {
    const second = await start({ port: server.port }).catch(String);
    expect(second).to.match(new RegExp(`127.0.0.1 port ${server.port}: the port is taken`));
  });

  it('closes although a client holds its connection', async () => {
    const other = await start();
    const client = connect(other.port, '127.0.0.1');
    client.on('error', () => undefined);
    client.write('GET /healthz HTTP/1.1\r\n');
    await new Promise((resolve) => client.once('connect', resolve));
    await other.close();
    client.destroy();
  });
});
