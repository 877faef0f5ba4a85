// All reading for what is said of one hypervisor.
import type { Hypervisor } from '#crds/v1alpha1/hypervisor.ts';
import { timestampOf } from '#runtime/clock/clock.ts';
import type { HypervisorContext } from './context.ts';
import { type Snapshot, toldSilentSince } from './plan.ts';

/** The hypervisor as it was last read or written, and whether it is heard at this moment. */
export function observe(context: HypervisorContext, cached: Hypervisor): Snapshot & Heard {
  const hypervisor = context.ownWrites.latest(cached);
  const { acceptance, guestsOf } = context;
  const guests = guestsOf(cached.metadata.name);
  return { hypervisor, acceptance, guests, hold: context.hold(), ...heardOf(context, hypervisor) };
}

/** What is heard of a hypervisor at this moment. */
export interface Heard {
  /** RFC 3339, by our own clock; undefined while its daemon is heard. */
  readonly silentSince: string | undefined;
  /** Milliseconds after which it has not answered its daemon for too long; undefined while it answers. */
  readonly outageGraceLeft: number | undefined;
}

export function heardOf(
  context: Pick<HypervisorContext, 'clock' | 'heartbeats' | 'outages'>,
  hypervisor: Hypervisor,
): Heard {
  const { clock, outages } = context;
  return {
    silentSince: silentSinceOf(context, hypervisor),
    outageGraceLeft: outages.graceLeft(hypervisor.metadata.name, clock.monotonic()),
  };
}

/** RFC 3339, by our own clock; undefined while its daemon is heard. */
export function silentSinceOf(
  { clock, heartbeats }: Pick<HypervisorContext, 'clock' | 'heartbeats'>,
  { metadata, status }: Hypervisor,
): string | undefined {
  const silence = heartbeats.silentFor(metadata.name, clock.monotonic());
  return silence === undefined ? toldSilentSince(status) : timestampOf(clock.now() - silence);
}
