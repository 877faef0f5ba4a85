// What is done to a guest at most once: rebooted, or cycled. It is told as Executing before it is done. Who finds that
// and does not remember to have written it cannot know whether it was done: it is Unknown then, and never done again.
import { askedOnce, type Once } from '#crds/derive/asked-once.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { CurrentOperation, InstanceState } from '#crds/v1alpha1/virtual-machine-status.ts';
import type { Domain } from '../hypervisor/driver.ts';
import type { OperationMemory } from './memory.ts';
import type { Snapshot } from './snapshot.ts';

/** Whether the stop that is declared is to be by force. */
export function isForced({ status }: VirtualMachine): boolean {
  const operation = status?.granted?.operation;
  const forces = operation?.type === 'PowerOff' || operation?.type === 'Destroy';
  return forces && operation.epoch === status?.placement?.epoch;
}

/** What may be done now: told as Executing by this very process, and not done yet. */
export function dueOnce(vm: VirtualMachine, memory: OperationMemory | undefined): Once | undefined {
  const asked = askedOnce(vm.status);
  if (asked === undefined || vm.status?.currentOperation?.uid !== asked.uid) return undefined;
  return memory?.uid === asked.uid && memory.outcome === undefined ? asked : undefined;
}

/** Whether its plug was pulled, or may have been, by a Cycle that has not started it again yet. */
export function isBeingCycled({ status }: VirtualMachine, domain: Domain | undefined): boolean {
  const { currentOperation, placement } = status ?? {};
  if (currentOperation?.type !== 'Cycle' || currentOperation.state !== 'Executing') return false;
  const pulled = domain?.shutOffReason === 'Destroyed' || domain?.shutOffReason === 'Unknown';
  return pulled && currentOperation.epoch === placement?.epoch;
}

/** How long a guest may take to go down for a reboot, where its grace period is no longer than that. */
const REBOOT_MS = 60_000;

/** Whether it was asked to reboot so lately that it may be at it: guests may be seen to go down, or power themselves off. */
export function isRebooting({ spec, status }: VirtualMachine, wallTime: number): boolean {
  const { currentOperation, placement } = status ?? {};
  if (currentOperation?.type !== 'Reboot' || currentOperation.state === 'Failed') return false;
  const patience = Math.max(REBOOT_MS, spec.powerOff.gracePeriodSeconds * 1000);
  const lately = Math.abs(wallTime - Date.parse(currentOperation.startTime)) < patience;
  return lately && currentOperation.epoch === placement?.epoch;
}

interface Telling {
  readonly vm: VirtualMachine;
  readonly snapshot: Pick<Snapshot, 'memory' | 'leaseValid' | 'self'>;
  /** RFC 3339. */
  readonly time: string;
}

/** What is told of it beside a report on the guest; what was told before where there is no news. Pure. */
export function currentOperationAfter(powerState: InstanceState, telling: Telling): CurrentOperation | undefined {
  const { vm } = telling;
  const before = vm.status?.currentOperation;
  const asked = askedOnce(vm.status);
  if (asked === undefined) return before;
  if (before?.uid !== asked.uid) return begun(asked, powerState, telling) ?? before;
  return { ...before, ...outcomeOf(before, powerState, telling) };
}

/** Nothing is begun while another may act for this node. */
function begun(asked: Once, powerState: InstanceState, { snapshot, time }: Telling): CurrentOperation | undefined {
  const { uid, name, type, epoch } = asked;
  const common = { uid, name, type, epoch, startTime: time };
  if (powerState === 'Starting') return undefined;
  if (powerState !== 'Running') {
    const message = `The guest does not run: it is ${powerState}. Nothing was done.`;
    return { ...common, state: 'Failed', completionTime: time, message };
  }
  if (!snapshot.leaseValid) return undefined;
  return { ...common, state: 'Executing', message: `${snapshot.self.name} is about to do it.` };
}

type Outcome = Pick<CurrentOperation, 'state' | 'message' | 'completionTime'>;

function outcomeOf(before: CurrentOperation, powerState: InstanceState, { snapshot, time }: Telling): Partial<Outcome> {
  const { memory, self } = snapshot;
  const known = memory.operation?.uid === before.uid ? memory.operation : undefined;
  const isDue = known !== undefined && known.outcome === undefined && powerState === 'Running';
  // A cycle is over when the guest runs again, or is no longer meant to.
  if (isDue || (before.type === 'Cycle' && powerState === 'Starting')) return {};
  const outcome = known?.outcome ?? { state: 'Unknown', why: `${self.name} does not know whether it was done.` };
  const { state, why: message } = outcome;
  return halfDone(before, powerState, state) ?? { state, message, completionTime: time };

  function halfDone(
    { type }: CurrentOperation,
    is: InstanceState,
    became: CurrentOperation['state'],
  ): Outcome | undefined {
    if (type !== 'Cycle' || became !== 'Done' || is === 'Running') return undefined;
    const words = `Its plug was pulled, and it was not started again: it is ${is}.`;
    return { state: 'Failed', message: words, completionTime: time };
  }
}
