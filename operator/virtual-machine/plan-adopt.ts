// A VM whose guest somebody else made: it takes it as it is, from the hypervisor that has it, and from no other. Pure.
import { ADOPTION_EPOCH, differencesFrom, powerStateFound, specFound } from '#crds/derive/adoption.ts';
import type { DomainReport } from '#crds/v1alpha1/domain-report.ts';
import type { Action, Plan } from './actions.ts';
import type { Snapshot } from './snapshot.ts';
import { NO_ROOM_RETRY_MS, waitFor } from './waiting-for-room.ts';

const PENDING = 'AdoptionPending';

/** Undefined where it is to adopt none, or none is reported. */
export function planAdopt(snapshot: Snapshot): Plan | undefined {
  const { foreign, hold, candidates } = snapshot;
  if (foreign === undefined) return undefined;
  if (foreign.kind === 'OfAnother') return waitFor(snapshot, PENDING, `VirtualMachine ${foreign.key} has the guest.`);
  if (hold !== undefined) return waitFor(snapshot, PENDING, 'Nothing is adopted while the site is on hold.');
  const { nodeName } = foreign.report.spec;
  const home = candidates.find(({ name }) => name === nodeName);
  if (home === undefined) return { actions: [], again: NO_ROOM_RETRY_MS };
  if (!home.accepted) return waitFor(snapshot, PENDING, `${nodeName} was not accepted.`);
  const unlike = differenceOf(snapshot, foreign.report);
  if (unlike !== undefined) return waitFor(snapshot, PENDING, unlike);
  return { actions: [grant(snapshot), recovery(nodeName, home.uid)] };
}

/** Why it does not say what the guest is. */
function differenceOf({ vm }: Snapshot, { status }: DomainReport): string | undefined {
  const { domain, found } = status ?? {};
  if (domain === undefined || found === undefined) return 'Its hypervisor has not read yet what the guest is made of.';
  const [obstacle] = found.obstacles;
  if (obstacle !== undefined) return `${obstacle.field}: ${obstacle.message}`;
  const differences = differencesFrom(specFound(domain, found), vm.spec, vm.spec.resources);
  if (differences.length > 0)
    return `spec.${differences.join(', spec.')}: not what the guest has. Declare that first, and change it once it is adopted.`;
  if (powerStateFound(domain.powerState) === vm.spec.powerState) return undefined;
  return `spec.powerState is ${vm.spec.powerState}, and the guest is ${domain.powerState}: declare what it is first.`;
}

function recovery(hypervisor: string, hypervisorUID: string): Action {
  const reason = `The guest is on ${hypervisor}, made by somebody else: it is adopted as it is.`;
  return { kind: 'Recover', origin: 'Adopted', hypervisor, hypervisorUID, epoch: ADOPTION_EPOCH, reason };
}

function grant({ vm }: Snapshot): Action {
  const { powerState, resources, parameters } = vm.spec;
  const generation = vm.metadata.generation ?? 0;
  const granted = {
    generation,
    powerState,
    resources,
    ...(parameters === undefined ? {} : { parameters }),
    decisionID: `${vm.metadata.uid}.${generation}`,
  };
  return { kind: 'Grant', granted, verdict: 'Allow', reason: 'It is what the guest is already.' };
}
