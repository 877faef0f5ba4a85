import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { systemClock } from '#runtime/clock/system.ts';
import { answerJson, ScriptedServer } from '#test/scripted-server.ts';
import { refusal } from '../conformance/workbench.ts';
import { Connection, type ConnectionOptions } from './connection.ts';

describe('a connection to an API server', () => {
  let server: ScriptedServer;
  let connection: Connection;

  beforeEach(async () => {
    server = new ScriptedServer();
    await server.start();
    connect();
  });

  afterEach(async () => {
    await connection.close();
    await server.stop();
  });

  function connect(options: Partial<ConnectionOptions> = {}): Connection {
    connection = new Connection({ access: server.access(), clock: systemClock, userAgent: 'tester/1', ...options });
    return connection;
  }

  const get = (path = '/x') => ({ method: 'GET' as const, path });

  it('sends what it is given, under its name, behind the path of the server', async () => {
    const access = server.access({}, '/clusters/one/');
    server.answer = answerJson(200, { kind: 'Thing' });
    const request = { method: 'PATCH' as const, path: '/api/v1?a=b', body: { a: 1 }, contentType: 'text/odd' };
    expect(await connect({ access }).request(request)).to.deep.equal({ kind: 'Thing' });
    expect(server.requests).to.deep.equal(['PATCH /clusters/one/api/v1?a=b']);
    expect(server.bodies).to.deep.equal(['{"a":1}']);
    expect(server.headers[0]).to.include({ 'user-agent': 'tester/1', 'content-type': 'text/odd' });
  });

  it('keeps its connections for requests one after another', async () => {
    for (let count = 0; count < 20; count += 1) {
      await connection.request(get());
    }
    // A connection counts as busy for a moment after its answer, so a second one may be opened.
    expect(server.connections).to.be.at.most(2);
  });

  it('opens no more than it may for requests at a time', async () => {
    server.answer = (_, response) => void setTimeout(() => response.end('{}'), 5);
    connect({ maxRequests: 3 });
    await Promise.all(Array.from({ length: 30 }, () => connection.request(get())));
    expect(server.connections).to.equal(3);
  });

  it('has room for requests however many watches there are', async () => {
    server.answer = (request, response) => {
      if (request.url === '/watch') {
        response.write('{}\n');
      } else {
        response.end('{}');
      }
    };
    connect({ maxRequests: 1 });
    const stop = new AbortController();
    const streams = await Promise.all(Array.from({ length: 20 }, () => connection.stream('/watch', stop.signal)));
    expect(streams).to.have.length(20);
    await connection.request(get());
    stop.abort();
  });

  it('waits no longer than it may for an answer', async () => {
    server.answer = () => undefined;
    const { message } = await refusal(connect({ requestTimeoutMs: 50 }).request(get()), 'Timeout');
    expect(message).to.contain('not done within 0.05 s');
  });

  it('waits no longer than it may for the rest of an answer', async () => {
    server.answer = (_, response) => void response.write('{"half":');
    await refusal(connect({ requestTimeoutMs: 100 }).request(get()), 'Timeout');
  });

  it('trusts no connection that is idle after one has swallowed an answer', async () => {
    server.answer = (_, response) => void setTimeout(() => response.end('{}'), 5);
    connect({ requestTimeoutMs: 100, maxRequests: 4 });
    await Promise.all(Array.from({ length: 4 }, () => connection.request(get())));
    server.freeze();
    await refusal(connection.request(get()), 'Timeout');
    await connection.request(get());
    expect(server.connections).to.equal(5);
  });

  it('gives up when the caller does, and says why', async () => {
    server.answer = () => undefined;
    const caller = new AbortController();
    const request = connect().request({ ...get(), signal: caller.signal });
    await sleep(20);
    caller.abort(new Error('enough'));
    const { cause } = await refusal(request, 'Unreachable');
    expect(cause).to.equal(caller.signal.reason);
  });

  it('has Unreachable where nobody listens, and where an answer breaks off', async () => {
    const access = { ...server.access(), server: 'http://127.0.0.1:1' };
    await refusal(connect({ access }).request(get()), 'Unreachable');
    await connection.close();
    server.answer = (request) => request.socket.destroy();
    await refusal(connect().request(get()), 'Unreachable');
    server.answer = (request, response) => {
      response.write('{"half":');
      setTimeout(() => request.socket.destroy(), 5);
    };
    await refusal(connect().request(get()), 'Unreachable');
  });

  it('has Unreachable where what it needs to trust the server cannot be read', async () => {
    const tls = () => {
      throw new Error('ENOENT: ca.crt');
    };
    const { message } = await refusal(connect({ access: { ...server.access(), tls } }).request(get()), 'Unreachable');
    expect(message).to.contain('ENOENT: ca.crt');
  });

  it('refuses answers that are too long, or no JSON', async () => {
    server.answer = (_, response) => response.end(JSON.stringify('x'.repeat(10_000)));
    const { message } = await refusal(connect({ maxResponseBytes: 1000 }).request(get()), 'Internal');
    expect(message).to.contain('larger than is allowed');
    await connection.close();
    server.answer = (_, response) => response.end('<html>');
    expect((await refusal(connect().request(get()), 'Internal')).message).to.contain('<html>');
  });

  it('tells apart what the API server refuses, with the time that it asks for', async () => {
    const status = { kind: 'Status', code: 429, message: 'too many', reason: 'TooManyRequests' };
    server.answer = answerJson(429, status, { 'retry-after': '7' });
    const error = await refusal(connect().request(get()), 'TooManyRequests');
    expect([error.message, error.retryAfterSeconds]).to.deep.equal(['too many', 7]);
  });

  it('ends a stream when its signal aborts', async () => {
    server.answer = (_, response) => void response.write('{}\n');
    const stop = new AbortController();
    const stream = await connect().stream('/watch', stop.signal);
    const read = (async () => {
      for await (const _ of stream) {
        stop.abort(new Error('enough'));
      }
    })();
    expect(await read.catch(String)).to.equal('Error: enough');
    await sleep(20);
    expect(server.openConnections).to.equal(0);
  });

  it('cuts everything when it is closed', async () => {
    server.answer = () => undefined;
    const request = connect().request(get());
    await sleep(20);
    await connection.close();
    await refusal(request, 'Unreachable');
  });

  describe('with credentials', () => {
    let folder: string;
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'usher-connection-'));
    });
    afterEach(() => rm(folder, { recursive: true }));

    /** An exec plugin that gives "token-1", "token-2" and so on, and notes each run. */
    async function plugin(expiry?: string): Promise<object> {
      const command = join(folder, 'plugin');
      const status = JSON.stringify({ token: 'token-NUMBER', ...(expiry && { expirationTimestamp: expiry }) });
      const credential = `{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":${status}}`;
      const script = `#!/bin/sh\necho run >> ${folder}/runs\nn=$(wc -l < ${folder}/runs)\necho '${credential}' | sed s/NUMBER/$n/\n`;
      await writeFile(command, script);
      await chmod(command, 0o755);
      return { apiVersion: 'client.authentication.k8s.io/v1', command };
    }

    const authorizations = () => server.headers.map(({ authorization }) => authorization);

    it('sends a token, a password or the name of whom it plays', async () => {
      await connect({ access: server.access({ token: 'secret\n' }) }).request(get());
      await connection.close();
      await connect({ access: server.access({ username: 'me', password: 'pass', impersonateUser: 'you' }) }).request(
        get(),
      );
      expect(authorizations()).to.deep.equal(['Bearer secret', `Basic ${Buffer.from('me:pass').toString('base64')}`]);
      expect(server.headers[1]).to.include({ 'impersonate-user': 'you' });
    });

    it('reads a token file, and again when the API server no longer accepts what it read', async () => {
      const tokenFile = join(folder, 'token');
      await writeFile(tokenFile, 'first\n');
      const access = server.access({ authProvider: { name: 'tokenFile', config: { tokenFile } } });
      server.answer = (request, response) => {
        const accepted = request.headers.authorization === 'Bearer second';
        answerJson(accepted ? 200 : 401, { kind: 'Status', code: 401 })(request, response);
      };
      connect({ access });
      await refusal(connection.request(get()), 'Unauthorized');
      await writeFile(tokenFile, 'second\n');
      await connection.request(get());
      expect(authorizations()).to.deep.equal(['Bearer first', 'Bearer first', 'Bearer first', 'Bearer second']);
    });

    it('runs an exec plugin once for many calls, until what it gave expires', async () => {
      const far = new Date(Date.now() + 60_000).toISOString();
      connect({ access: server.access({ exec: await plugin(far) }) });
      await Promise.all(Array.from({ length: 10 }, () => connection.request(get())));
      expect(new Set(authorizations())).to.deep.equal(new Set(['Bearer token-1']));
      const past = new Date(Date.now() - 1000).toISOString();
      await connection.close();
      connect({ access: server.access({ exec: await plugin(past) }) });
      await connection.request(get());
      await connection.request(get());
      expect(authorizations().slice(10)).to.deep.equal(['Bearer token-2', 'Bearer token-3']);
    });

    it('says what is wrong with a plugin', async () => {
      const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: join(folder, 'no-such-plugin') };
      const { message } = await refusal(connect({ access: server.access({ exec }) }).request(get()), 'Unauthorized');
      expect(message).to.contain('no credentials for user "tester"').and.to.contain('no-such-plugin');
      expect(server.requests).to.deep.equal([]);
    });

    it('refuses what it does not support', () => {
      const access = server.access({ authProvider: { name: 'oidc', config: {} } });
      expect(() => connect({ access })).to.throw('auth provider oidc, which is not supported: use an exec plugin');
    });
  });

  it('comes back after the server was away', async () => {
    await connection.request(get());
    server.answer = (request) => request.socket.destroy();
    await refusal(connection.request(get()), 'Unreachable');
    server.answer = answerJson(200, {});
    await connection.request(get());
  });
});
