// A hundred node daemons in one process, each with its own token, connections and simulated hypervisor: the wiring is
// the real daemon's. The argument is a file with what `NodeAccess` says of each.
import { readFile } from 'node:fs/promises';
import { createSimulatedDriver } from '#node-daemon/hypervisor/simulated/driver.ts';
import { SimulatedHost } from '#node-daemon/hypervisor/simulated/host.ts';
import { USAGE_LIMITS } from '#node-daemon/usage/publish.ts';
import { runNodeDaemon } from '#node-daemon/wiring.ts';
import { systemClock, systemRandom } from '#runtime/clock/system.ts';
import { EventRecorder } from '#runtime/event/recorder.ts';
import { connectToCluster } from '#runtime/kube/api-server/connect.ts';
import { createLog, type Logger } from '#runtime/process/log.ts';
import { shutdownSignal } from '#runtime/process/shutdown.ts';
import { forgetfulMemory } from '#test/builders/control-plane-memory.ts';
import { noisyLoad } from './noisy-load.ts';

export interface NodeAccess {
  readonly name: string;
  readonly kubeconfig: string;
}

const NAME = 'usher-node-daemon';
const JITTER = 0.03;
/** Of heartbeats and samples. The daemons start spread over one: those of real machines do not beat in step either. */
const INTERVAL_MS = 10_000;
const LARGE = { cpus: 256, memoryBytes: 1024 * 2 ** 30 };
const RATES = {
  cpuMillis: 230,
  networkReceive: 50_000,
  networkTransmit: 20_000,
  diskRead: 3_000,
  diskWrite: 9_000,
};

async function runNode({ name, kubeconfig }: NodeAccess, logger: Logger, stop: AbortSignal): Promise<void> {
  const { store } = await connectToCluster({ kubeconfig, userAgent: NAME });
  const [clock, random] = [systemClock, systemRandom];
  const events = new EventRecorder({ store, clock, logger, component: NAME, instance: name });
  const load = ({ memoryBytes }: { memoryBytes: number }) =>
    noisyLoad({ ...RATES, memoryBytes: memoryBytes / 2 }, JITTER, random);
  const host = new SimulatedHost({ clock, name, ...LARGE, load, callLogLimit: 10 });
  await runNodeDaemon(
    {
      store,
      clock,
      random,
      logger,
      driver: createSimulatedDriver(host),
      driverName: 'simulated',
      nodeName: name,
      labels: {},
      bootID: async () => host.bootID,
      agentVersion: 'bench',
      reserved: { cpus: 0, memoryBytes: 2 ** 29 },
      heartbeatIntervalMs: INTERVAL_MS,
      sampleIntervalMs: INTERVAL_MS,
      usageLimits: USAGE_LIMITS,
      controlPlaneMemory: forgetfulMemory(),
      warn: (object, reason, message) => events.warn(object, reason, message),
    },
    stop,
  );
}

const logger = createLog({ level: 'warn', clock: systemClock, fields: { component: 'simulated-nodes' } });
const stop = shutdownSignal(logger);
const nodes = JSON.parse(await readFile(process.argv[2] ?? '', 'utf8')) as NodeAccess[];
const startEveryMs = INTERVAL_MS / nodes.length;
await Promise.all(
  nodes.map(async (node, index) => {
    await systemClock.sleep(index * startEveryMs, stop);
    await runNode(node, logger, stop);
  }),
);
