// The status of the Hypervisor object, as its daemon reports it.
import type { Amount } from '#crds/amount.ts';
import { type Statement, setConditions } from '#crds/conditions.ts';
import { gibibytes, parseQuantity } from '#crds/quantity.ts';
import type { Condition } from '#crds/v1alpha1/fragments.ts';
import type { HypervisorSpec, HypervisorStatus } from '#crds/v1alpha1/hypervisor.ts';
import { limits } from '#crds/v1alpha1/limits.ts';
import { timestampOf } from '#runtime/clock/clock.ts';
import type { Capabilities, NodeInfo } from '../hypervisor/driver.ts';
import {
  allocatableOf,
  amountStatus,
  besideUnmanaged,
  guaranteeableStatus,
  less,
  quantizedFreeMemory,
} from './capacity.ts';
import { held, type Inventory } from './inventory.ts';

/** What the daemon could learn from its driver in this pass. */
export type DriverView =
  | {
      readonly kind: 'Seen';
      readonly node: NodeInfo;
      readonly capabilities: Capabilities;
      readonly inventory: Inventory;
    }
  /** It answers, but not all that is needed could be read. */
  | { readonly kind: 'ScanFailed'; readonly detail: string }
  | { readonly kind: 'Disconnected'; readonly detail: string };

export interface HypervisorReport {
  /** The status as the API server has it; what others write there is kept. */
  readonly previous: HypervisorStatus | undefined;
  readonly spec: HypervisorSpec;
  readonly generation: number;
  readonly driver: DriverView;
  /** What the machine keeps for itself. */
  readonly reserved: Amount;
  readonly bootID: string;
  readonly agentVersion: string;
  /** Left out, guests cannot move to or from here. */
  readonly migration?: { readonly address: string; readonly sharedPools: readonly string[] };
  readonly controlPlane: NonNullable<HypervisorStatus['controlPlane']>;
  /** Milliseconds since 1970. */
  readonly now: number;
}

const DETAIL_MAX = 1_024;

/**
 * The whole status to write. Deeply equal to `previous` where nothing changed by more than noise. What cannot be seen
 * while the hypervisor does not answer stays as it was seen last.
 */
export function hypervisorStatus(report: HypervisorReport): HypervisorStatus {
  const { previous, driver, bootID, agentVersion, controlPlane } = report;
  const { migrationAddress: _address, sharedPools: _pools, ...kept } = previous ?? {};
  return {
    ...kept,
    ...migrationOf(report),
    ...(driver.kind === 'Seen' ? seen(report, driver) : {}),
    bootID,
    agentVersion: agentVersion.slice(0, limits.version),
    controlPlane,
    conditions: conditionsAfter(report),
  };
}

function migrationOf({ migration }: HypervisorReport): Pick<HypervisorStatus, 'migrationAddress' | 'sharedPools'> {
  if (migration === undefined) return {};
  const pools = [...new Set(migration.sharedPools)].sort();
  return { migrationAddress: migration.address, ...(pools.length > 0 ? { sharedPools: pools } : {}) };
}

function seen(report: HypervisorReport, view: DriverView & { kind: 'Seen' }): Partial<HypervisorStatus> {
  const { node, inventory } = view;
  const told = report.previous?.freeMemory;
  const toldBytes = told === undefined ? undefined : parseQuantity(told);
  const ours = [...inventory.managed, ...inventory.unconfirmed];
  const all = allocatableOf(node, report.reserved, report.spec.overcommit);
  const allocatable = besideUnmanaged(all, inventory.unmanagedHeld);
  return {
    capacity: amountStatus(node),
    allocatable: amountStatus(allocatable),
    guaranteeable: guaranteeableStatus(allocatable),
    free: amountStatus(less(allocatable, held(ours))),
    freeMemory: gibibytes(quantizedFreeMemory(toldBytes, node.freeMemoryBytes, node.memoryBytes)),
    virtualMachineCount: ours.length,
    capabilities: capabilitiesStatus(view),
    unmanaged: [...inventory.unmanaged],
    unmanagedCount: inventory.unmanagedCount,
  };
}

function capabilitiesStatus({ capabilities, node }: DriverView & { kind: 'Seen' }) {
  const { type, version, features } = capabilities;
  return {
    type,
    version: version.slice(0, limits.version),
    architecture: node.architecture,
    features: [...features].sort(),
  } satisfies HypervisorStatus['capabilities'];
}

function conditionsAfter({ previous, spec, driver, generation, now }: HypervisorReport): Condition[] {
  const statements = [readyOf(driver), driverConnectedOf(driver, spec.driver)];
  const decided = { observedGeneration: generation, time: timestampOf(now) };
  return [...setConditions(previous?.conditions, statements, decided)];
}

function readyOf(view: DriverView): Statement {
  switch (view.kind) {
    case 'Seen':
      return {
        type: 'Ready',
        status: 'True',
        reason: 'Operational',
        message: 'The daemon sees all guests of this node and can start and stop them.',
      };
    case 'ScanFailed':
      return {
        type: 'Ready',
        status: 'False',
        reason: 'ScanFailed',
        message: `The hypervisor answers, but its guests could not be read: ${brief(view.detail)}`,
      };
    case 'Disconnected':
      return {
        type: 'Ready',
        status: 'False',
        reason: 'DriverDisconnected',
        message:
          'The daemon cannot reach the hypervisor. Guests that run go on running, but none can be started or stopped ' +
          'here until it answers.',
      };
  }
}

function driverConnectedOf(view: DriverView, driver: HypervisorSpec['driver']): Statement {
  const type = 'DriverConnected';
  switch (view.kind) {
    case 'Seen':
    case 'ScanFailed': {
      const remark = view.kind === 'Seen' ? view.capabilities.remark : undefined;
      const message = [`The driver ${driver} is connected.`, remark ?? []].flat().join(' ');
      return { type, status: 'True', reason: 'Connected', message: brief(message) };
    }
    case 'Disconnected':
      return {
        type,
        status: 'False',
        reason: 'Unreachable',
        message: `The driver ${driver} has no connection and keeps trying: ${brief(view.detail)}`,
      };
  }
}

/** Well-formed, or else the API server would store another text than it was sent, and never be in agreement. */
function brief(detail: string): string {
  return detail.slice(0, DETAIL_MAX).toWellFormed();
}
