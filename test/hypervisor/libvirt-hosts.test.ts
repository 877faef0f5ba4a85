import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { command } from '#hack/hypervisor-host/command.ts';
import { type HypervisorHost, inside, virsh } from '#hack/hypervisor-host/host.ts';
import { hostObstacle, loadHost, startHost, stopHost } from '#hack/hypervisor-host/host-life.ts';
import { skip } from '../runner/skip.ts';
import { eventually } from './libvirt-qemu-stand.ts';

const FIXTURE = join(import.meta.dirname, 'fixtures', 'host-until-killed.ts');

describe('hypervisor machines on one machine', function () {
  this.timeout(90_000);
  let directory = '';

  before(async function () {
    const obstacle = await hostObstacle();
    if (obstacle !== undefined) {
      skip(this, obstacle);
    }
    directory = await mkdtemp(join(tmpdir(), 'usher-hosts-'));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  const start = (name: string, lifetime: 'parent' | 'detached' = 'parent') =>
    startHost({ name, directory: join(directory, name), lifetime });

  it('have names, processes, networks and subnets of their own', async () => {
    const hosts = await Promise.all([start('one'), start('two')]);
    try {
      expect(await Promise.all(hosts.map((host) => virsh(host, 'hostname')))).to.deep.equal(['one', 'two']);
      expect(new Set(hosts.map((host) => host.network.number)).size).to.equal(2);
      for (const host of hosts) {
        await command('ping', '-c', '1', '-W', '2', `10.77.${host.network.number}.1`);
        expect(await inside(host, 'cat', '/proc/sys/net/ipv4/ip_forward')).to.equal('1');
      }
    } finally {
      await Promise.all(hosts.map(stopHost));
    }
  });

  it('are found by another process, and stopped by it, more than once', async () => {
    await start('kept', 'detached');
    const found = await loadHost(join(directory, 'kept'));
    expect(found?.name).to.equal('kept');
    await stopHost(found as HypervisorHost);
    await stopHost(found as HypervisorHost);
    expect(await loadHost(join(directory, 'kept'))).to.equal(undefined);
    expect(await isThere(found?.network.link ?? '')).to.equal(false);
    expect(existsSync(join(directory, 'kept'))).to.equal(false);
  });

  it('end with the process that started them, even where that is killed', async () => {
    const parent = spawn(process.execPath, [FIXTURE, join(directory, 'mortal')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [chunk] = (await once(parent.stdout, 'data')) as [Buffer];
    const link = chunk.toString().trim();
    expect(await isThere(link)).to.equal(true);
    parent.kill('SIGKILL');
    await eventually('its link is gone', 20, async () => ((await isThere(link)) ? undefined : true));
  });

  it('are refused where their sockets would have too long a path', async () => {
    const error = await start('x'.repeat(100)).catch((reason: unknown) => reason);
    expect(String(error)).to.contain('too long');
  });
});

function isThere(link: string): Promise<boolean> {
  return command('ip', 'link', 'show', link).then(
    () => true,
    () => false,
  );
}
