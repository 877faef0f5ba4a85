// How a guest came to its end that was to be there.
import { currentInstance } from '#crds/derive/epoch.ts';
import { hasJustArrived, wasLostOnItsWay } from '#crds/derive/migration.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Instance, LastTermination } from '#crds/v1alpha1/virtual-machine-status.ts';
import type { Domain } from '../hypervisor/driver.ts';
import type { Mine } from './actions.ts';
import { isNewEnd } from './memory.ts';
import { OBEDIENCE_MS } from './pauses.ts';
import { mayBeTheSame, requestedTermination, type Termination, terminationOf } from './termination.ts';

/** How the guest came to its end under this epoch; undefined where it was not started under it yet. */
export function endOf(mine: Mine, domain: Domain | undefined): Termination | undefined {
  const { vm, snapshot } = mine;
  const { memory } = snapshot;
  if (memory.ended?.told === false) return memory.ended.termination;
  const instance = currentInstance(vm.status);
  if (!wasStarted(mine, instance, domain)) return undefined;
  const facts = { ...snapshot, instance, wasLostOnItsWay: wasLostOnItsWay(vm.status) };
  const seen = wasAskedToStop(mine) ? requestedTermination(facts) : terminationOf(facts);
  const told = endTold(instance, vm.status?.lastTermination);
  return told !== undefined && !isNewEnd(memory) && mayBeTheSame(told, seen, facts) ? told : seen;
}

/** Where the status says that it ended, and may be started again. */
function endTold(instance: Instance | undefined, last: LastTermination | undefined): Termination | undefined {
  if (last === undefined || (instance?.powerState !== 'Crashed' && instance?.powerState !== 'Missing'))
    return undefined;
  const { time: _told, ...termination } = last;
  return termination;
}

/** It was declared Stopped, was asked, and was declared Running before it had obeyed. */
function wasAskedToStop(mine: Mine): boolean {
  const { vm, snapshot } = mine;
  const { stop } = snapshot.memory;
  if (stop === undefined) return mayHaveBeenAskedToStop(mine);
  return !stop.withdrawn || snapshot.now - stop.lastAskedAt < obedienceOf(vm);
}

/**
 * By a daemon that has died since: it was decided under this epoch that the guest stops, and then, after the last
 * report or so lately that it may just have obeyed, that it runs. Whoever wants that gets a guest that runs.
 */
function mayHaveBeenAskedToStop({ vm, granted, placement, snapshot }: Mine): boolean {
  const decision = vm.status?.decisions?.find(
    ({ event, verdict }) => event === 'vm.shutdown.request' && (verdict === 'Allow' || verdict === 'Modify'),
  );
  if (decision === undefined) return false;
  const reported = currentInstance(vm.status)?.generation;
  // What was told under this epoch was older: that is so whatever the clocks say.
  if (reported !== undefined && decision.generation !== undefined && reported < decision.generation) return true;
  if (decision.time < placement.time) return false;
  const unreported = reported !== granted.generation;
  return unreported || Math.abs(snapshot.wallTime - Date.parse(decision.time)) < obedienceOf(vm);
}

/**
 * How long after it was asked a guest that ends may have obeyed, though it is wanted by now: an operating system may ask
 * its own services for minutes first, and shows no sign of it. Its grace period is how long we wait for it, not how long
 * it takes. Who is wrongly taken to have obeyed is started again, as declared.
 */
function obedienceOf({ spec }: VirtualMachine): number {
  return Math.max(OBEDIENCE_MS, spec.powerOff.gracePeriodSeconds * 1000);
}

/** Whether this epoch has already seen the guest up: its end is then an event, and a start a restart. */
function wasStarted({ placement, vm }: Mine, instance: Instance | undefined, domain: Domain | undefined): boolean {
  if (hasJustArrived(vm.status)) return true;
  if (instance !== undefined) return instance.powerState !== 'Starting' || endedForAReason(placement.epoch, domain);
  return endedForAReason(placement.epoch, domain);
}

/** A start that failed leaves Failed behind, so Failed alone does not prove that the guest ever ran. */
function endedForAReason(epoch: number, domain: Domain | undefined): boolean {
  if (domain?.metadata?.epoch !== epoch) return false;
  return (
    domain.shutOffReason === 'Shutdown' || domain.shutOffReason === 'Destroyed' || domain.shutOffReason === 'Crashed'
  );
}
