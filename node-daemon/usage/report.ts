// Samples the hypervisor, and writes averages to the VMs and to the Hypervisor when they are worth it.
import { instanceUuid } from '#crds/derive/signed-payload.ts';
import type { Hypervisor } from '#crds/v1alpha1/hypervisor.ts';
import { hypervisorResource, virtualMachineResource } from '#crds/v1alpha1/kinds.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Clock, Random } from '#runtime/clock/clock.ts';
import { pause } from '#runtime/clock/signals.ts';
import { isKubeError } from '#runtime/kube/errors.ts';
import { keyOf } from '#runtime/kube/resource.ts';
import type { JsonPatchOperation, KubeStore } from '#runtime/kube/store.ts';
import type { Logger } from '#runtime/process/log.ts';
import type { ObjectReader } from '#runtime/reflector/object-cache.ts';
import type { HypervisorDriver } from '../hypervisor/driver.ts';
import { isDriverError } from '../hypervisor/errors.ts';
import { addSample, averagesOf, NO_HISTORY, type UsageHistory } from './averages.ts';
import { addUsageSample, type UsageHistories } from './histories.ts';
import {
  decidePublications,
  EMPTY_LEDGER,
  type Publication,
  type PublishCandidate,
  type PublishLimits,
} from './publish.ts';

export interface UsageReporting {
  readonly store: KubeStore;
  readonly driver: HypervisorDriver;
  readonly machines: ObjectReader<VirtualMachine, 'uuid'>;
  readonly hypervisor: () => Hypervisor | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly sampleIntervalMs: number;
  readonly limits: PublishLimits;
}

export class UsageReporter {
  readonly #reporting: UsageReporting;
  #guests: UsageHistories = new Map();
  #node: UsageHistory = NO_HISTORY;
  #ledger = EMPTY_LEDGER;

  constructor(reporting: UsageReporting) {
    this.#reporting = reporting;
  }

  /** Until the signal aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, sampleIntervalMs, logger } = this.#reporting;
    while (!signal.aborted) {
      await this.sample(signal).catch((error: unknown) => {
        if (!signal.aborted) logger.warn('usage could not be reported', { error });
      });
      await pause(clock, sampleIntervalMs, signal);
    }
  }

  /** One sample, and whatever became worth writing by it. */
  async sample(signal: AbortSignal): Promise<void> {
    const { driver, clock, random, limits } = this.#reporting;
    const sample = await driver.usage().catch((error: unknown) => {
      if (isDriverError(error)) return undefined;
      throw error;
    });
    if (sample === undefined) return;
    const monotonic = clock.monotonic();
    this.#guests = addUsageSample(this.#guests, sample.domains, monotonic);
    this.#node = addSample(this.#node, sample.node, monotonic);
    const time = { monotonic, wall: clock.now() };
    const { publications, ledger } = decidePublications(this.#candidates(), this.#ledger, { limits, time, random });
    this.#ledger = ledger;
    for (const publication of publications) await this.#write(publication, signal);
  }

  #candidates(): PublishCandidate[] {
    const hypervisor = this.#reporting.hypervisor();
    const guests = this.#reporting.machines.list().flatMap((vm) => this.#candidateOf(vm));
    const averages = averagesOf(this.#node);
    if (hypervisor === undefined || averages === undefined) return guests;
    const { metadata, status } = hypervisor;
    return [...guests, { key: metadata.uid, averages, cpus: status?.capacity?.cpus, published: status?.usage }];
  }

  #candidateOf(vm: VirtualMachine): PublishCandidate[] {
    const averages = averagesOf(this.#guests.get(instanceUuid(vm)) ?? NO_HISTORY);
    const { instance, usage } = vm.status ?? {};
    if (averages === undefined || (instance?.powerState !== 'Running' && instance?.powerState !== 'Paused')) return [];
    return [{ key: vm.metadata.uid, averages, cpus: instance.resources?.cpus, published: usage }];
  }

  async #write({ key, usage }: Publication, signal: AbortSignal): Promise<void> {
    const { store, machines } = this.#reporting;
    const hypervisor = this.#reporting.hypervisor();
    const put: JsonPatchOperation = { op: 'add', path: '/status/usage', value: usage };
    const isIt: JsonPatchOperation = { op: 'test', path: '/metadata/uid', value: key };
    const options = { subresource: 'status', signal } as const;
    const vm = machines.getByUid(key);
    await quietly(async () => {
      if (vm !== undefined) {
        const held: JsonPatchOperation = {
          op: 'test',
          path: '/status/placement/epoch',
          value: vm.status?.placement?.epoch,
        };
        await store.jsonPatch(virtualMachineResource, keyOf(vm), [isIt, held, put], options);
      } else if (hypervisor?.metadata.uid === key) {
        await store.jsonPatch(hypervisorResource, keyOf(hypervisor), [isIt, put], options);
      }
    });
  }
}

/** The object changed hands or went away meanwhile: its usage is then no longer ours to tell. */
async function quietly(write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (!isKubeError(error, 'Invalid', 'NotFound', 'Conflict')) throw error;
  }
}
