// Guests of a hypervisor that is to be emptied: each moves as soon as it can, within limits, and nothing is stopped. Pure.
import { askedOnce } from '#crds/derive/asked-once.ts';
import { currentInstance } from '#crds/derive/epoch.ts';
import { verdictOn } from '#crds/derive/migration.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Granted } from '#crds/v1alpha1/virtual-machine-status.ts';
import type { Plan } from '#operator/virtual-machine/actions.ts';
import type { Snapshot } from '#operator/virtual-machine/snapshot.ts';
import { LOOK_AGAIN_MS, migrationTo, obstacleHere, whereTo } from './begin.ts';

/** After an attempt that failed, the next one waits for so long. */
const RETRY_MS = 120_000;

/** Undefined where the VM's hypervisor is not to be emptied, or holds no guest of it. */
export function planDrain(snapshot: Snapshot, granted: Granted): Plan | undefined {
  const { vm, home, candidates } = snapshot;
  const source = home.kind === 'Known' ? home.candidate : undefined;
  if (source?.maintenance !== true || currentInstance(vm.status) === undefined) return undefined;
  const obstacle = obstacleHere(snapshot, source, granted) ?? askedFirst(vm);
  if (obstacle !== undefined) return waiting(obstacle);
  const pause = pauseAfterFailure(snapshot);
  if (pause !== undefined) return pause;
  const where = whereTo(snapshot, source, { granted, candidates });
  if (where.kind !== 'Chosen') return waiting(where.message);
  const { candidate: target, reason } = where;
  const wish = { requestedBy: `maintenance of ${source.name}` };
  const plan = migrationTo(snapshot, [source, target], { wish, reason });
  return { actions: [{ kind: 'StartMigration', plan, reason }] };
}

/** What an operation asks of a guest is done where it was asked. */
function askedFirst({ status }: VirtualMachine): string | undefined {
  const asked = askedOnce(status);
  return asked === undefined ? undefined : `The operation ${asked.name} is to ${asked.type} it first.`;
}

function pauseAfterFailure({ vm, wallTime }: Snapshot): Plan | undefined {
  const last = verdictOn(vm.status);
  if (last === undefined || last.result === 'Completed') return undefined;
  const left = Date.parse(last.time) + RETRY_MS - wallTime;
  return left > 0 ? { ...waiting(`The last attempt failed: ${last.reason}`), again: left + 1 } : undefined;
}

function waiting(stays: string): Plan {
  return { actions: [], stays, again: LOOK_AGAIN_MS, waitsForRoom: true };
}
