// A guest that an operation has move: at once, or as soon as other migrations leave room for it; or it is told why not. Pure.
import type { Granted, GrantedOperation, VirtualMachineStatus } from '#crds/v1alpha1/virtual-machine-status.ts';
import type { Candidate } from '#operator/placement/candidate.ts';
import type { Plan } from '#operator/virtual-machine/actions.ts';
import type { Snapshot } from '#operator/virtual-machine/snapshot.ts';
import { LOOK_AGAIN_MS, migrationTo, obstacleHere, whereTo } from './begin.ts';

/** Undefined where no operation asks for it, or was answered already. */
export function planMove(snapshot: Snapshot, granted: Granted): Plan | undefined {
  const { vm, home } = snapshot;
  const asked = askedToMove(vm.status);
  if (asked === undefined) return undefined;
  const source = home.kind === 'Known' ? home.candidate : undefined;
  if (source === undefined) return refusal('Its hypervisor is not there any more.');
  const candidates = named(snapshot.candidates, asked);
  const obstacle = obstacleHere(snapshot, source, granted) ?? obstacleThere(candidates, source, asked);
  if (obstacle !== undefined) return refusal(obstacle);
  const where = whereTo(snapshot, source, { granted, candidates });
  if (where.kind === 'Busy') return { actions: [], again: LOOK_AGAIN_MS, waitsForRoom: true };
  if (where.kind !== 'Chosen') return refusal(where.message);
  const { candidate: target, reason } = where;
  const wish = { requestedBy: `operation ${asked.name}`, operationUID: asked.uid };
  const plan = migrationTo(snapshot, [source, target], { wish, reason });
  return { actions: [{ kind: 'StartMigration', plan, reason }] };
}

function askedToMove(status: VirtualMachineStatus | undefined): GrantedOperation | undefined {
  const { granted, placement, migration } = status ?? {};
  const asked = granted?.operation;
  if (asked?.type !== 'Migrate' || asked.epoch !== placement?.epoch || asked.refused !== undefined) return undefined;
  return migration?.plan?.operationUID === asked.uid ? undefined : asked;
}

function named(candidates: readonly Candidate[], { hypervisors }: GrantedOperation): readonly Candidate[] {
  return hypervisors === undefined ? candidates : candidates.filter(({ name }) => hypervisors.includes(name));
}

/** What is wrong with the hypervisors that were named. */
function obstacleThere(
  candidates: readonly Candidate[],
  source: Candidate,
  { hypervisors }: GrantedOperation,
): string | undefined {
  if (hypervisors === undefined) return undefined;
  if (candidates.length === 0) return `There is no hypervisor ${hypervisors.join(', ')}: check spec.hypervisorHints.`;
  return candidates.every(({ name }) => name === source.name) ? `It runs on ${source.name} already.` : undefined;
}

function refusal(reason: string): Plan {
  return { actions: [{ kind: 'Refuse', reason }] };
}
