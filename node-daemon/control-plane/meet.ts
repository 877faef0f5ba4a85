// Asks the control plane who it is.
import { INSTALL_OR_USE_RIGHTS } from '#crds/v1alpha1/installation.ts';
import type { Clock, Random } from '#runtime/clock/clock.ts';
import { controlPlaneUid } from '#runtime/kube/control-plane.ts';
import type { KubeStore } from '#runtime/kube/store.ts';
import type { Logger } from '#runtime/process/log.ts';
import { persevere } from '#runtime/process/persevere.ts';
import type { ControlPlaneWatch } from './watch.ts';

export interface Meeting {
  readonly store: KubeStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly controlPlane: ControlPlaneWatch;
}

/** Returns once it was asked: nothing is done for it before. False where the signal aborted first. */
export async function meet({ store, controlPlane, ...rest }: Meeting, signal: AbortSignal): Promise<boolean> {
  const { clock, random, logger } = rest;
  const until = 'the control plane says which one it is (the uid of the namespace kube-system)';
  const asking = { clock, random, logger, until, advice: { Forbidden: INSTALL_OR_USE_RIGHTS } };
  try {
    await controlPlane.meet(await persevere(asking, async (limited) => controlPlaneUid(store, limited), signal));
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
