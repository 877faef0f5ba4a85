// A whole daemon and operator on a real libvirt, with an API server of the tests' own: the end of a real guest is told at
// once where libvirt calls back, and at the next scan where its call-backs do not come through.
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { hypervisorResource, virtualMachineResource } from '#crds/v1alpha1/kinds.ts';
import { API_VERSION } from '#crds/v1alpha1/names.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { signalGuest } from '#hack/hypervisor-host/faults.ts';
import { USAGE_LIMITS } from '#node-daemon/usage/publish.ts';
import { runNodeDaemon } from '#node-daemon/wiring.ts';
import { generateSigningKey, signerFrom } from '#operator/signing/key.ts';
import { runOperator } from '#operator/wiring.ts';
import { systemClock, systemRandom } from '#runtime/clock/system.ts';
import { IDENTITY_NAMESPACE, NAMESPACES } from '#runtime/kube/control-plane.ts';
import { MemoryApiServer } from '#runtime/kube/memory/server.ts';
import { silentLogger } from '#runtime/process/log.ts';
import { forgetfulMemory } from '#test/builders/control-plane-memory.ts';
import {
  configMapModel,
  hypervisorModel,
  leaseModel,
  machineModel,
  namespaceModel,
  OPERATOR,
  operationModel,
  reportModel,
} from '../simulation/kinds.ts';
import { describeQemu, eventually, type QemuStand } from './libvirt-qemu-stand.ts';
import { SocketProxy } from './libvirt-socket-proxy.ts';

const WEB = { namespace: 'team', name: 'web' };
/** No test takes so long. */
const LONG_SECONDS = 600;
/** What the spec says anew is looked at with a scan at once. */
const A_SCAN_AFTER_THE_CHANGE_MS = 8_000;
const UNTOLD_MS = 10_000;
const COMMON = { clock: systemClock, random: systemRandom, logger: silentLogger, warn: () => undefined };

/** An operator and the daemon of this machine, which reaches libvirt through this socket. */
class SmallSite {
  readonly api = new MemoryApiServer({ clock: systemClock, random: Math.random });
  readonly user = this.api.asUser('adele');
  readonly #stop = new AbortController();
  readonly #running: Promise<void>[] = [];

  start(stand: QemuStand, socketPath: string): void {
    const { api } = this;
    api.serve(leaseModel).serve(hypervisorModel).serve(reportModel).serve(namespaceModel).serve(configMapModel);
    api.serve(machineModel(() => undefined));
    api.serve(operationModel(() => undefined));
    const metadata = { name: IDENTITY_NAMESPACE };
    this.#running.push(
      this.user.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata }).then(() => undefined),
    );
    const signer = signerFrom(generateSigningKey());
    const operator = { ...COMMON, store: api.asUser(OPERATOR), signer, identity: 'o', silenceTimeoutMs: 40_000 };
    const daemon = {
      ...COMMON,
      store: api.asUser('hv1'),
      driver: stand.driver({ socketPath }),
      driverName: 'libvirt',
      nodeName: 'hv1',
      labels: {},
      bootID: async () => '3c9a1f20-6c1d-4d52-b1a3-90d2ab34cd56',
      agentVersion: '0',
      reserved: { cpus: 0, memoryBytes: 0 },
      heartbeatIntervalMs: 10_000,
      sampleIntervalMs: 10_000,
      usageLimits: USAGE_LIMITS,
      controlPlaneMemory: forgetfulMemory(),
    } as const;
    this.#running.push(runOperator(operator, this.#stop.signal), runNodeDaemon(daemon, this.#stop.signal));
  }

  async createWeb({ image }: QemuStand): Promise<void> {
    const boot = { kernel: { image: image.kernel, initrd: image.initrd, commandLine: 'console=ttyS0 quiet' } };
    const resources = { cpus: 1, memory: '128Mi' };
    const spec = { resources, boot, restartPolicy: 'Always' } as VirtualMachine['spec'];
    const object = { apiVersion: API_VERSION, kind: 'VirtualMachine', metadata: WEB, spec } as const;
    await this.user.create(virtualMachineResource, object);
    await this.untilRunning();
  }

  async untilRunning(): Promise<void> {
    await eventually('web runs', 60, async () => ((await this.web()).status?.phase === 'Running' ? true : undefined));
  }

  async web(): Promise<VirtualMachine> {
    return this.user.get(virtualMachineResource, WEB);
  }

  async scanEvery(scanIntervalSeconds: number): Promise<void> {
    await this.user.mergePatch(hypervisorResource, { name: 'hv1' }, { spec: { scanIntervalSeconds } });
  }

  async end(): Promise<void> {
    await this.user.delete(virtualMachineResource, WEB);
    await eventually('web is gone', 90, async () =>
      this.web().then(
        () => undefined,
        () => true,
      ),
    );
    this.#stop.abort();
    await Promise.all(this.#running);
  }
}

describeQemu('the end of a real guest', (stand) => {
  let site: SmallSite;
  let proxy: SocketProxy;

  const endedAt = async () => (await site.web()).status?.lastTermination?.time;

  async function kill(): Promise<void> {
    expect(await endedAt()).to.equal(undefined);
    await signalGuest(stand().host, 'team.web', 'KILL');
  }

  async function told(): Promise<void> {
    await eventually('the end of web is told', 60, async () => ((await endedAt()) === undefined ? undefined : true));
    await site.untilRunning();
  }

  async function begin(dropsEvents: boolean): Promise<void> {
    const { host } = stand();
    proxy = new SocketProxy(join(host.directory, `proxy-${dropsEvents}`), host.socket, { dropsEvents });
    await proxy.open();
    site = new SmallSite();
    site.start(stand(), proxy.socketPath);
    await eventually('hv1 takes VMs', 60, async () =>
      (await site.user.list(hypervisorResource)).items[0]?.status?.allocatable === undefined ? undefined : true,
    );
    await site.createWeb(stand());
  }

  afterEach(async () => {
    await site.end();
    await proxy.close();
  });

  it('is told at once where libvirt calls back, long before the next scan', async () => {
    await begin(false);
    await site.scanEvery(LONG_SECONDS);
    await kill();
    await told();
  });

  it('is told by the scan where it does not, whose interval is changed while all runs', async () => {
    await begin(true);
    await site.scanEvery(LONG_SECONDS);
    await pause(A_SCAN_AFTER_THE_CHANGE_MS);
    await kill();
    await pause(UNTOLD_MS);
    expect(await endedAt()).to.equal(undefined);
    await site.scanEvery(5);
    await told();
  });
});
