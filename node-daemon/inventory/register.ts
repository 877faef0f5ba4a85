// The daemon makes itself known: one Hypervisor, named after its node.
import type { Hypervisor, HypervisorSpec } from '#crds/v1alpha1/hypervisor.ts';
import { hypervisorResource } from '#crds/v1alpha1/kinds.ts';
import { API_VERSION } from '#crds/v1alpha1/names.ts';
import { type Backoff, backoff } from '#runtime/clock/backoff.ts';
import type { Clock, Random } from '#runtime/clock/clock.ts';
import { isKubeError } from '#runtime/kube/errors.ts';
import type { KubeStore } from '#runtime/kube/store.ts';
import type { Logger } from '#runtime/process/log.ts';

export interface Registration {
  readonly store: KubeStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly nodeName: string;
  readonly driver: HypervisorSpec['driver'];
  readonly labels: Readonly<Record<string, string>>;
}

/** The Hypervisor of this node, created where it is missing; tries until it succeeds or the signal aborts. */
export async function register(registration: Registration, signal: AbortSignal): Promise<Hypervisor> {
  const retries: Backoff = backoff({ baseMs: 500, maxMs: 30_000 }, registration.random);
  for (;;) {
    signal.throwIfAborted();
    try {
      return await getOrCreate(registration, signal);
    } catch (error) {
      const milliseconds = retries.next();
      registration.logger.warn('cannot register this hypervisor yet', { error, retryInMs: Math.round(milliseconds) });
      await registration.clock.sleep(milliseconds, signal);
    }
  }
}

async function getOrCreate(registration: Registration, signal: AbortSignal): Promise<Hypervisor> {
  const { store, nodeName, driver, labels } = registration;
  try {
    return await store.get(hypervisorResource, { name: nodeName }, signal);
  } catch (error) {
    if (!isKubeError(error, 'NotFound')) throw error;
  }
  const object = {
    apiVersion: API_VERSION,
    kind: 'Hypervisor',
    metadata: { name: nodeName, labels: { ...labels } },
    spec: { nodeName, driver, scanIntervalSeconds: 30 },
  } as const;
  return store.create(hypervisorResource, object, signal);
}
