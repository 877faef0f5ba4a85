// Whether the hypervisor that holds a VM can be asked, and what that means for the VM. Pure.
import { findCondition } from '#crds/conditions.ts';
import { epochIsOver } from '#crds/derive/epoch.ts';
import { isSurelyHibernated } from '#crds/derive/hibernated.ts';
import type { Condition } from '#crds/v1alpha1/fragments.ts';
import type { TakeoverVerdict } from '#operator/takeover/wants-takeover.ts';
import type { Action } from './actions.ts';
import { fateInWords } from './plan-takeover.ts';
import type { Home, Snapshot } from './snapshot.ts';

const HIBERNATED = 'The guest is hibernated there, and does not run.';

type MarkReachable = Extract<Action, { kind: 'MarkReachable' }>;

function isBrieflyAway(home: Home): boolean {
  return home.kind === 'Known' && !home.reachable.yes && home.reachable.brief;
}

/** What is to become of a VM whose hypervisor cannot be asked. */
interface Fate {
  readonly recovery?: TakeoverVerdict | undefined;
  readonly nowhere?: string | undefined;
}

/** What may be over in a moment is not told: neither that it is lost, nor that it is found. */
export function planReachability({ vm, home }: Snapshot, { recovery, nowhere }: Fate): Action[] {
  if (home.kind === 'None' || isBrieflyAway(home)) return [];
  const known = findCondition(vm.status?.conditions, 'HypervisorReachable');
  const fate = isSurelyHibernated(vm.status) ? HIBERNATED : fateInWords(recovery, nowhere);
  const next = reachabilityOf(home, fate);
  const ofInterest = !epochIsOver(vm.status) || (next.reachable && known?.status === 'False');
  return ofInterest && !isTold(known, next, recovery) ? [next] : [];
}

/** While a proof is looked for, what is waited for is told, too. */
function isTold(known: Condition | undefined, next: MarkReachable, recovery: TakeoverVerdict | undefined): boolean {
  if (known?.status !== (next.reachable ? 'True' : 'False') || known.reason !== next.code) return false;
  return recovery === undefined || known.message === next.reason;
}

function reachabilityOf(home: Exclude<Home, { kind: 'None' }>, fate: string): MarkReachable {
  const { hypervisor } = home;
  if (home.kind === 'Gone') {
    const back = 'It comes back when usher-node-daemon is started there.';
    const reason = `Hypervisor ${hypervisor} no longer exists in the API. ${back} ${fate}`;
    return { kind: 'MarkReachable', reachable: false, code: 'HypervisorGone', reason };
  }
  if (!home.reachable.yes) {
    return {
      kind: 'MarkReachable',
      reachable: false,
      code: home.reachable.code,
      reason: `${home.reachable.why} ${fate}`,
    };
  }
  return { kind: 'MarkReachable', reachable: true, code: 'Reachable', reason: heardInWords(hypervisor) };
}

/** Why a hypervisor counts as reachable. */
export function heardInWords(hypervisor: string): string {
  return `The daemon of ${hypervisor} reports regularly.`;
}
