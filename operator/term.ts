// What the operator is given, and one term of it as the leader: what all of its controllers are made from.
import { Controller, type ControllerObserver, type Reconcile } from '#runtime/controller/controller.ts';
import type { KubeObject } from '#runtime/kube/resource.ts';
import type { LeadershipObserver } from '#runtime/lease/leader-election.ts';
import type { AcceptanceRule } from './hypervisor/acceptance.ts';
import type { MachineMetrics } from './metrics.ts';
import type { MigrationSettings } from './migration/settings.ts';
import type { Signer } from './signing/key.ts';
import type { SiteObserver } from './site/observer.ts';
import type { Fencer } from './takeover/fencer.ts';
import type { World, WorldOptions } from './world.ts';

export interface OperatorOptions extends Omit<WorldOptions, 'onWentBack'> {
  readonly signer: Signer;
  /** Which hypervisors may join without a person's word; left out, all of them. */
  readonly acceptance?: AcceptanceRule;
  readonly migration?: MigrationSettings;
  /** Unique to this process. */
  readonly identity: string;
  /** Writes a warning that `kubectl describe` shows. */
  readonly warn: (object: KubeObject, reason: string, message: string) => void;
  /** Counts VMs, and what was done about them. */
  readonly observer?: MachineMetrics | undefined;
  /** What makes sure that a machine is off. */
  readonly fencer?: Fencer | undefined;
  /** When more of all hypervisors are silent at once, nothing is taken over; 50 unless given. */
  readonly mostSilentPercent?: number;
  readonly controllerObserver?: (controller: string) => ControllerObserver;
  /** Told once everything was read for the first time. */
  readonly onSynced?: () => void;
  readonly leadershipObserver?: LeadershipObserver;
  readonly siteObserver?: SiteObserver;
}

export interface Term {
  readonly options: OperatorOptions;
  readonly world: World;
  readonly stop: AbortSignal;
  readonly leading: AbortSignal;
  readonly isLeading: () => boolean;
  readonly onOtherControlPlane: () => void;
}

/** A controller like all of them here. */
export function controller(options: OperatorOptions, name: string, reconcile: Reconcile): Controller {
  const { clock, random, logger, controllerObserver } = options;
  return new Controller({
    name,
    reconcile,
    clock,
    random,
    logger,
    workers: 8,
    observer: controllerObserver?.(name),
  });
}
