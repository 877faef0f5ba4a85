// The operator and the daemons as a site runs them: put together as their programs put them together, each with a life.

import type { ControlPlaneMemory } from '#node-daemon/control-plane/memory.ts';
import { type Killer, runGuard } from '#node-daemon/guard/guard.ts';
import type { GuardFiles } from '#node-daemon/guard/orders.ts';
import { createSimulatedDriver } from '#node-daemon/hypervisor/simulated/driver.ts';
import type { SimulatedHost } from '#node-daemon/hypervisor/simulated/host.ts';
import { USAGE_LIMITS } from '#node-daemon/usage/publish.ts';
import { runNodeDaemon } from '#node-daemon/wiring.ts';
import { acceptanceRule } from '#operator/hypervisor/acceptance.ts';
import type { Signer } from '#operator/signing/key.ts';
import type { Fencer } from '#operator/takeover/fencer.ts';
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
  readonly acceptance: string;
  readonly warn: (object: KubeObject, reason: string, message: string) => void;
  readonly fencer?: Fencer | undefined;
}

/** Ends at its death, or rejects. */
export async function runOperatorOf(surroundings: Surroundings, life: Life): Promise<void> {
  const { api, clock, random, signer, acceptance, warn, fencer } = surroundings;
  await runOperator(
    {
      acceptance: acceptanceRule(acceptance),
      store: mortalStore(api.asUser(OPERATOR), life),
      clock,
      random,
      logger: silentLogger,
      signer,
      identity: `operator-${clock.now()}`,
      silenceTimeoutMs: 40_000,
      fencer,
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
  /** Where a guard stands by. */
  readonly guardFiles?: GuardFiles | undefined;
  /** Its disk. */
  readonly memory: ControlPlaneMemory;
}

const GUARD_PROMISE = { deadlineSeconds: 60, killSeconds: 10 };

/** Ends when it is asked to, or at its death; or rejects. */
export async function runDaemonOf(surroundings: Surroundings, node: Node, life: Life): Promise<void> {
  const { api, clock, random, warn } = surroundings;
  const { host, nodeName, onlooker, setUnready, memory, guardFiles: files } = node;
  const bootTime = () => clock.monotonic();
  await runNodeDaemon(
    {
      store: mortalStore(api.asUser(nodeName), life),
      driver: mortalDriver(createSimulatedDriver(host), life, onlooker),
      driverName: 'simulated',
      nodeName,
      labels: {},
      migration: { address: host.migrationAddress, sharedPools: ['shared'] },
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
      guard: files === undefined ? undefined : { files, bootTime, promise: GUARD_PROMISE },
      controlPlaneMemory: memory,
    },
    life.stop,
  );
}

/** The guard of a machine, until its death. */
export async function runGuardOf({ clock }: Surroundings, host: SimulatedHost, files: GuardFiles, life: Life) {
  const killer: Killer = {
    kill: async (uuids) => {
      const { guests } = host.machine;
      for (const uuid of uuids) if ((guests.find(uuid)?.power.kind ?? 'Off') !== 'Off') host.crash(uuid);
      return [];
    },
  };
  const { bootID } = host;
  const bootTime = () => clock.monotonic();
  await runGuard({ files, killer, bootID, bootTime, clock, logger: silentLogger }, life.signal);
}
