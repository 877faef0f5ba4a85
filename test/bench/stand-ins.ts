// What stands in for node daemons that have nothing to do but to be heard.
import { setTimeout as delay } from 'node:timers/promises';
import { HEARTBEAT_LABEL, SYSTEM_NAMESPACE } from '#crds/v1alpha1/names.ts';
import { systemClock } from '#runtime/clock/system.ts';
import { LEASES, microTimestampOf } from '#runtime/lease/lease.ts';
import type { BenchSite } from './site.ts';

/** As often as the daemons did. */
const EVERY_MS = 10_000;

/** Renews the Leases of all daemons, which are gone by now, while `act` lasts: to the operator they are heard. */
export async function whileHeard<T>(site: BenchSite, act: () => Promise<T>): Promise<T> {
  const end = new AbortController();
  const beating = beat(site, end.signal);
  try {
    return await act();
  } finally {
    end.abort();
    await beating;
  }
}

async function beat({ user }: BenchSite, signal: AbortSignal): Promise<void> {
  const { items } = await user.list(LEASES, { labelSelector: HEARTBEAT_LABEL });
  const pause = EVERY_MS / items.length;
  while (!signal.aborted) {
    for (const { metadata } of items) {
      const renewed = { spec: { renewTime: microTimestampOf(systemClock.now()) } };
      await user.mergePatch(LEASES, { namespace: SYSTEM_NAMESPACE, name: metadata.name }, renewed);
      await delay(pause, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
    }
  }
}
