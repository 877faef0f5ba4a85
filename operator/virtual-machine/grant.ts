// The decision on one generation, as it is written.
import { isSameResources } from '#crds/resources.ts';
import type { Resources } from '#crds/v1alpha1/virtual-machine-spec.ts';
import type { Granted } from '#crds/v1alpha1/virtual-machine-status.ts';
import type { Action } from './actions.ts';
import { expiredInWords, isExpired } from './plan-expiry.ts';
import type { Snapshot } from './snapshot.ts';

/** Why not all is granted that was asked for. */
interface Less {
  /** Of its resources. */
  readonly withheld?: string;
  /** It shall run, and stays hibernated for now. */
  readonly deferred?: string;
}

/** Nothing where that was granted already for this generation. */
export function grantOf(snapshot: Snapshot, resources: Resources, { withheld, deferred }: Less = {}): Action[] {
  const { vm } = snapshot;
  const generation = vm.metadata.generation ?? 0;
  const before = vm.status?.granted;
  const { powerState: allowed, expired } = powerStateFor(snapshot);
  const powerState = deferred === undefined ? allowed : 'Hibernated';
  const again = before?.generation === generation;
  if (again && before.powerState === powerState && isSameResources(before.resources, resources)) return [];
  const { parameters } = vm.spec;
  const granted: Granted = {
    generation,
    powerState,
    resources,
    ...(parameters === undefined ? {} : { parameters }),
    decisionID: `${vm.metadata.uid}.${generation}${again ? suffixOf(before, powerState) : ''}`,
  };
  return [{ kind: 'Grant', granted, ...verdictOf({ deferred, withheld: [expired, withheld] }) }];
}

function verdictOf({
  deferred,
  withheld,
}: {
  readonly deferred: string | undefined;
  readonly withheld: readonly (string | undefined)[];
}): Pick<Extract<Action, { kind: 'Grant' }>, 'verdict' | 'reason'> {
  if (deferred !== undefined) return { verdict: 'Defer', reason: deferred };
  const less = withheld.filter((why) => why !== undefined);
  if (less.length > 0) return { verdict: 'Modify', reason: less.join(' ') };
  return { verdict: 'Allow', reason: 'No policy objects: everything is allowed.' };
}

/** A VM whose time is over may not run, whatever is declared; one that is hibernated does not. */
export function powerStateFor(snapshot: Snapshot): { powerState: Granted['powerState']; expired?: string } {
  const { powerState } = snapshot.vm.spec;
  if (powerState === 'Stopped' || powerState === 'Hibernated' || !isExpired(snapshot)) return { powerState };
  return { powerState: 'Stopped', expired: expiredInWords(snapshot.vm) };
}

/** Of one generation there may be several decisions, as time goes by and room comes. */
function suffixOf(before: Granted, powerState: Granted['powerState']): string {
  if (before.powerState === powerState) return '.grown';
  if (before.powerState === 'Hibernated') return '.restored';
  return powerState === 'Stopped' ? '.expired' : '.renewed';
}
