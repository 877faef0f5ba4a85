// Suites on a real libvirt with real QEMU guests: a machine of its own for each suite, taken away after its last test.
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type GuestImage, guestImage, guestImageObstacle } from '#hack/hypervisor-host/guest/image.ts';
import { type HypervisorHost, networkCounterDirectory } from '#hack/hypervisor-host/host.ts';
import { hostObstacle, makeConsoles, startHost, stopHost } from '#hack/hypervisor-host/host-life.ts';
import { migrationUriOf } from '#hack/hypervisor-host/host-network.ts';
import type { DomainDefinition, HypervisorDriver } from '#node-daemon/hypervisor/driver.ts';
import { createLibvirtDriver } from '#node-daemon/hypervisor/libvirt/driver.ts';
import type { LibvirtDriverOptions } from '#node-daemon/hypervisor/libvirt/settings.ts';
import { systemClock, systemRandom } from '#runtime/clock/system.ts';
import { ran } from '../runner/capabilities.ts';
import { skip } from '../runner/skip.ts';

const MEBIBYTE = 1024 * 1024;
export const GUEST_MEMORY_BYTES = 128 * MEBIBYTE;
/** Emulated, and on processors that others use as well. */
export const BOOT_SECONDS = 90;

export class QemuStand {
  readonly host: HypervisorHost;
  readonly image: GuestImage;
  readonly #networkDirectory: string;

  constructor(host: HypervisorHost, image: GuestImage, networkDirectory: string) {
    this.host = host;
    this.image = image;
    this.#networkDirectory = networkDirectory;
  }

  /** Of emulated guests, whatever this machine can do. */
  driver(changes: Partial<LibvirtDriverOptions> = {}): HypervisorDriver {
    return createLibvirtDriver({ ...this.#options(), domainType: 'qemu', ...changes });
  }

  /** One that finds out for itself. */
  probingDriver(): HypervisorDriver {
    return createLibvirtDriver(this.#options());
  }

  /** Where other machines send guests to. */
  get migrationAddress(): string {
    return migrationUriOf(this.host.network);
  }

  #options(): LibvirtDriverOptions {
    return {
      socketPath: this.host.socket,
      uri: 'qemu:///system',
      bootDirectory: this.image.bootDirectory,
      consoleLogDirectory: this.host.consoleDirectory,
      migrationAddress: this.migrationAddress,
      nodeCounters: { networkDirectory: this.#networkDirectory, diskStatistics: '/proc/diskstats' },
      timeouts: { connect: 2_000, query: 3_000, change: 5_000, start: 15_000, save: 15_000, destroy: 12_000 },
      clock: systemClock,
      random: systemRandom,
    };
  }

  /** A guest with one network card. `switches` are those of the guest image, for example usher.poweroff=5. */
  guest(switches = ''): DomainDefinition {
    const uuid = randomUUID();
    const name = `vm-${uuid.slice(0, 8)}`;
    return {
      uuid,
      name: `qemu.${name}`,
      cpus: 1,
      memoryBytes: GUEST_MEMORY_BYTES,
      boot: this.bootSource(switches),
      disks: [],
      interfaces: [{ name: 'eth0', network: 'default', macAddress: macAddressFor(uuid) }],
      metadata: { uid: uuid, namespace: 'qemu', name, epoch: 1, generation: 1, payload: '{}', signature: '' },
    };
  }

  bootSource(switches = '') {
    const { kernel, initrd } = this.image;
    return { kind: 'Kernel', image: kernel, initrd, commandLine: `console=ttyS0 quiet ${switches}` } as const;
  }

  async console(name: string): Promise<string> {
    return readFile(join(this.host.consoleDirectory, `${name}.log`), 'utf8').catch(() => '');
  }

  /** Resolves with the whole console once the guest has written this. */
  async says(name: string, text: string | RegExp): Promise<string> {
    return eventually(`'${text}' on the console of ${name}`, BOOT_SECONDS, async () => {
      const lines = await this.console(name);
      return lines.search(text) >= 0 ? lines : undefined;
    });
  }
}

/** Defines a suite that has a machine of its own. Where there can be none its tests are skipped with the reason. */
export function describeQemu(title: string, define: (stand: () => QemuStand) => void): void {
  describeMachines(title, ['hv1'], (stands) => define(() => stands()[0] as QemuStand));
}

/** The same with two machines, which can send each other guests. */
export function describeQemuPair(
  title: string,
  define: (stand: () => QemuStand, other: () => QemuStand) => void,
): void {
  const nth = (stands: readonly QemuStand[], index: number) => stands[index] as QemuStand;
  describeMachines(title, ['hv1', 'hv2'], (stands) =>
    define(
      () => nth(stands(), 0),
      () => nth(stands(), 1),
    ),
  );
}

function describeMachines(
  title: string,
  names: readonly string[],
  define: (stands: () => readonly QemuStand[]) => void,
): void {
  describe(title, function () {
    this.timeout(3 * BOOT_SECONDS * 1000);
    let directory = '';
    const stands: QemuStand[] = [];
    before(async function () {
      const obstacle = (await hostObstacle()) ?? (await guestImageObstacle());
      if (obstacle !== undefined) {
        skip(this, obstacle);
      }
      directory = await mkdtemp(join(tmpdir(), 'usher-qemu-'));
      const image = await guestImage();
      const consoles = await makeConsoles(names.map((name) => join(directory, name)));
      const guestDirectories = [image.bootDirectory, ...consoles];
      for (const name of names) {
        const host = await startHost({ name, directory: join(directory, name), lifetime: 'parent', guestDirectories });
        stands.push(new QemuStand(host, image, await networkCounterDirectory(host)));
      }
    });
    beforeEach(() => ran('qemu'));
    after(async () => {
      for (const { host } of stands) await stopHost(host);
      await rm(directory, { recursive: true, force: true });
    });
    define(() => {
      if (stands.length < names.length) {
        throw new Error('the machine is there while tests run, not while they are defined');
      }
      return stands;
    });
  });
}

/** Asks five times a second until the answer is something. */
export async function eventually<T>(what: string, seconds: number, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) {
      return answer;
    }
    if (performance.now() > deadline) {
      throw new Error(`${what}: not so within ${seconds} s`);
    }
    await pause(200);
  }
}

function macAddressFor(uuid: string): string {
  return `52:54:00:${uuid.slice(0, 2)}:${uuid.slice(2, 4)}:${uuid.slice(4, 6)}`;
}
