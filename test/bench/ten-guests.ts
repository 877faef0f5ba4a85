// Ten real guests from the first request to the last of them running, as libvirt announces it; and the same ten started
// side by side with virsh, which is as fast as libvirt and QEMU can be on this machine.
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { virtualMachineResource } from '#crds/v1alpha1/kinds.ts';
import { guestImage } from '#hack/hypervisor-host/guest/image.ts';
import { type HypervisorHost, virsh } from '#hack/hypervisor-host/host.ts';
import { until } from '#hack/until.ts';
import { createLibvirtDriver } from '#node-daemon/hypervisor/libvirt/driver.ts';
import { systemClock, systemRandom } from '#runtime/clock/system.ts';
import type { Found } from './figures.ts';
import { withMachineWatch } from './machine-watch.ts';
import { atATime, machine, NAMESPACE, removeAtOnce } from './machines.ts';
import { type RealMachine, withRealMachine } from './real-machine.ts';
import { median } from './statistics.ts';
import type { Turns } from './turns.ts';

const run = promisify(execFile);
const NAMES = Array.from({ length: 10 }, (_, index) => `ten-${index + 1}`);
const DOMAINS = NAMES.map((name) => `${NAMESPACE}.${name}`);
const ROUNDS = 5;
/** Between rounds: for libvirt and the daemon to put their things away. */
const PAUSE_MS = 3_000;

interface Round {
  readonly running: number;
  readonly reported: number;
}

export async function measureTenGuests(turns: Turns): Promise<Found> {
  const image = await guestImage();
  return withRealMachine(turns, image.bootDirectory, async (real) => {
    const starts = new Starts(real.host);
    try {
      const files = await warmUp(real, starts, image);
      const ours: Round[] = [];
      const theirs: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        theirs.push(await withVirsh(real, starts, files));
        ours.push(await withUsher(real, starts, image));
      }
      return figures(ours, theirs);
    } finally {
      await starts.stop();
    }
  });
}

function figures(ours: readonly Round[], theirs: readonly number[]): Found {
  const seconds = median(ours.map(({ running }) => running)) / 1000;
  const virshSeconds = median(theirs) / 1000;
  return {
    ten_guests_seconds: seconds,
    ten_guests_virsh_seconds: virshSeconds,
    ten_guests_reported_seconds: median(ours.map(({ reported }) => reported)) / 1000,
    ten_guests_over_virsh: seconds / virshSeconds,
  };
}

type Image = Awaited<ReturnType<typeof guestImage>>;

/** A round that does not count, after which libvirt's own descriptions of the guests are kept for virsh. */
async function warmUp(real: RealMachine, starts: Starts, image: Image): Promise<string[]> {
  const files = DOMAINS.map((domain) => join(real.host.directory, `${domain}.xml`));
  await withUsher(real, starts, image, async () => {
    for (const [index, domain] of DOMAINS.entries()) {
      await writeFile(files[index] ?? '', await virsh(real.host, 'dumpxml', '--inactive', domain));
    }
  });
  return files;
}

/** Milliseconds from the first request until libvirt had started the last guest, and until the API said so. */
async function withUsher(
  { site }: RealMachine,
  starts: Starts,
  { kernel, initrd }: Image,
  meanwhile = async () => {},
): Promise<Round> {
  const boot = { kernel: { image: kernel, initrd, commandLine: 'console=ttyS0 quiet' } };
  const spec = {
    boot,
    resources: { cpus: 1, memory: '128Mi' },
    powerOff: { mode: 'Force', gracePeriodSeconds: 0 },
  } as const;
  return withMachineWatch(site.user, async (watch) => {
    const began = starts.begin();
    await atATime(NAMES, async (name) => site.user.create(virtualMachineResource, machine(name, spec)));
    const reported = Math.max(...(await watch.untilRunning(NAMES, 120)));
    const running = await starts.untilAll(NAMES.length);
    await meanwhile();
    await removeAtOnce(site.user, NAMES);
    await watch.untilGone(NAMES, 120);
    await delay(PAUSE_MS);
    return { running: running - began, reported: reported - began };
  });
}

/** The daemon stands still meanwhile: domains that it did not make would keep it busy. */
async function withVirsh({ host, daemonPid }: RealMachine, starts: Starts, files: readonly string[]): Promise<number> {
  process.kill(daemonPid, 'SIGSTOP');
  try {
    const began = starts.begin();
    await Promise.all(DOMAINS.map(async (domain, index) => defineAndStart(host, domain, files[index] ?? '')));
    const running = await starts.untilAll(DOMAINS.length);
    await Promise.all(DOMAINS.map(async (domain) => virsh(host, `destroy ${domain}; undefine ${domain}`)));
    return running - began;
  } finally {
    process.kill(daemonPid, 'SIGCONT');
    await delay(PAUSE_MS);
  }
}

async function defineAndStart({ uri }: HypervisorHost, domain: string, file: string): Promise<void> {
  await run('virsh', ['--quiet', '--connect', uri, `define ${file}; start ${domain}`]);
}

/** When guests were started, as libvirt announces it to whoever listens. */
class Starts {
  readonly #driver: ReturnType<typeof createLibvirtDriver>;
  readonly #end = new AbortController();
  #at = new Map<string, number>();

  constructor({ socket, directory }: HypervisorHost) {
    this.#driver = createLibvirtDriver({
      socketPath: socket,
      uri: 'qemu:///system',
      bootDirectory: directory,
      domainType: 'qemu',
      clock: systemClock,
      random: systemRandom,
    });
    void this.#follow();
  }

  async #follow(): Promise<void> {
    for await (const event of this.#driver.watch(this.#end.signal)) {
      if (event.kind === 'Changed' && event.detail.startsWith('Started')) this.#at.set(event.uuid, performance.now());
    }
  }

  /** Forgets what there was, and gives the time. */
  begin(): number {
    this.#at = new Map();
    return performance.now();
  }

  /** When the last of so many was started. */
  async untilAll(count: number): Promise<number> {
    await until(`libvirt has started ${count} guests`, 120, async () => this.#at.size >= count);
    return Math.max(...this.#at.values());
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#driver.close();
  }
}
