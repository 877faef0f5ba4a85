import type { Hypervisor } from '#crds/v1alpha1/hypervisor.ts';
import { type Clock, timestampOf } from '#runtime/clock.ts';
import type { ReconcileResult } from '#runtime/controller.ts';
import type { ResourceType } from '#runtime/kube/resource.ts';
import type { KubeStore } from '#runtime/kube/store.ts';
import type { ObjectReader } from '#runtime/object-cache.ts';
import type { OwnWrites } from '#runtime/own-writes.ts';
import { writeStatus } from '#runtime/status-patch.ts';
import { planHypervisor, toldSilentSince } from './plan.ts';
import type { Heartbeats } from './silence.ts';
import { statusAfter } from './status.ts';

export interface HypervisorContext {
  readonly store: KubeStore;
  readonly hypervisorType: ResourceType<Hypervisor>;
  readonly hypervisors: ObjectReader<Hypervisor>;
  readonly ownWrites: OwnWrites<Hypervisor>;
  readonly heartbeats: Heartbeats;
  readonly clock: Clock;
  /** Told when a hypervisor falls silent or is heard again, so that its VMs are looked at. */
  readonly onReachabilityChanged: (hypervisor: string) => void;
  /** Hypervisors told silent, to notice a change. */
  readonly silent: Set<string>;
}

/** Says what is heard of one hypervisor, and comes back when it would fall silent. */
export async function reconcileHypervisor(
  context: HypervisorContext,
  name: string,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const cached = context.hypervisors.get(name);
  if (cached === undefined) {
    noticeSilence(context, name, false);
    return {};
  }
  const { clock, heartbeats, ownWrites, store, hypervisorType } = context;
  const hypervisor = ownWrites.latest(cached);
  const silentSince = silentSinceOf(context, hypervisor);
  noticeSilence(context, name, silentSince !== undefined);
  const plan = planHypervisor({ hypervisor, silentSince });
  if (plan.conditions.length > 0) {
    const next = statusAfter(plan, hypervisor, timestampOf(clock.now()));
    ownWrites.remember(await writeStatus(store, hypervisorType, { observed: hypervisor, next, signal }));
  }
  return silentSince === undefined ? { again: heartbeats.silentIn(name, clock.monotonic()) + 1 } : {};
}

/** RFC 3339, by our own clock; undefined while its daemon is heard. */
export function silentSinceOf(
  { clock, heartbeats }: Pick<HypervisorContext, 'clock' | 'heartbeats'>,
  { metadata, status }: Hypervisor,
): string | undefined {
  const silence = heartbeats.silentFor(metadata.name, clock.monotonic());
  return silence === undefined ? toldSilentSince(status) : timestampOf(clock.now() - silence);
}

function noticeSilence({ silent, onReachabilityChanged }: HypervisorContext, name: string, isSilent: boolean): void {
  if (silent.has(name) === isSilent) return;
  if (isSilent) silent.add(name);
  else silent.delete(name);
  onReachabilityChanged(name);
}
