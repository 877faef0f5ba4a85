// The operator and the daemons as a site runs them: put together as their programs put them together, each with a life.
import { createSimulatedDriver } from '#node-daemon/hypervisor/simulated/driver.ts';
import type { SimulatedHost } from '#node-daemon/hypervisor/simulated/host.ts';
import { USAGE_LIMITS } from '#node-daemon/usage/publish.ts';
import { runNodeDaemon } from '#node-daemon/wiring.ts';
import type { Signer } from '#operator/signing/key.ts';
import { runOperator } from '#operator/wiring.ts';
import type { VirtualClock } from '#runtime/clock/virtual.ts';
import type { MemoryApiServer } from '#runtime/kube/memory/server.ts';
import type { KubeObject } from '#runtime/kube/resource.ts';
import { silentLogger } from '#runtime/process/log.ts';
import { OPERATOR } from './kinds.ts';
import { type Life, mortalDriver, mortalStore, type Onlooker } from './life.ts';

export interface Surroundings {
  readonly api: MemoryApiServer;
  readonly clock: VirtualClock;
  readonly random: () => number;
  readonly signer: Signer;
  readonly warn: (object: KubeObject, reason: string, message: string) => void;
}

/** Ends at its death, or rejects. */
export async function runOperatorOf({ api, clock, random, signer, warn }: Surroundings, life: Life): Promise<void> {
  await runOperator(
    {
      store: mortalStore(api.asUser(OPERATOR), life),
      clock,
      random,
      logger: silentLogger,
      signer,
      identity: `operator-${clock.now()}`,
      silenceTimeoutMs: 40_000,
      warn,
    },
    life.signal,
  );
}

export interface Node {
  readonly host: SimulatedHost;
  /** What its daemon calls it. */
  readonly nodeName: string;
  readonly onlooker: Onlooker;
  readonly setUnready: (reason: string | undefined) => void;
}

/** Ends when it is asked to, or at its death; or rejects. */
export async function runDaemonOf(surroundings: Surroundings, node: Node, life: Life): Promise<void> {
  const { api, clock, random, warn } = surroundings;
  const { host, nodeName, onlooker, setUnready } = node;
  await runNodeDaemon(
    {
      store: mortalStore(api.asUser(nodeName), life),
      driver: mortalDriver(createSimulatedDriver(host), life, onlooker),
      driverName: 'simulated',
      nodeName,
      labels: {},
      bootID: async () => host.bootID,
      agentVersion: '0',
      reserved: { cpus: 0, memoryBytes: 0 },
      heartbeatIntervalMs: 10_000,
      sampleIntervalMs: 10_000,
      usageLimits: USAGE_LIMITS,
      clock,
      random,
      logger: silentLogger,
      warn,
      setUnready,
    },
    life.stop,
  );
}
