// A foreign guest becomes that of a VM: its marks are written into the domain, and nothing else is done to it. Whatever is
// not as it was granted is told, and left alone.
import { differencesFrom, powerStateFound, specFound } from '#crds/derive/adoption.ts';
import { formatQuantity } from '#crds/quantity.ts';
import type { Domain, Inspection } from '../hypervisor/driver.ts';
import { foundOf } from '../reports/content.ts';
import { act, type Mine, type Plan } from './actions.ts';
import { ADOPTION_PENDING, isAdopting } from './adoption.ts';
import { metadataOf } from './definition.ts';
import { ADOPTION_RETRY_MS } from './pauses.ts';
import { planAgain } from './plan-again.ts';
import { notDecided, withoutLease } from './plan-ready.ts';
import type { Termination } from './termination.ts';

/** Undefined where it is a guest like any other. Never a start or a stop. Pure. */
export function planAdopt(mine: Mine, domain: Domain | undefined): Plan | undefined {
  const { vm, snapshot } = mine;
  if (!isAdopting(vm, snapshot.self.name)) return undefined;
  if (domain?.metadata !== undefined)
    return powerStateFound(domain.powerState) === 'Stopped'
      ? planGone(mine, 'It ended while it was adopted.')
      : undefined;
  if (domain === undefined) return planGone(mine, `It was gone from ${snapshot.self.name} before it was adopted.`);
  return notDecided(mine) ?? withoutLease(mine) ?? planTaking(mine, domain);
}

function planTaking(mine: Mine, domain: Domain): Plan {
  const { snapshot } = mine;
  const { inspection } = snapshot;
  if (inspection === undefined) return pending('It cannot be read at the moment.');
  const why = unlike(mine, domain, inspection);
  if (why !== undefined) return pending(why);
  return planAgain(snapshot, 'Adopt', { powerState: 'Starting' }) ?? planMark(mine, domain, inspection);
}

function planMark({ snapshot, vm, granted, placement }: Mine, { name }: Domain, { hardware }: Inspection): Plan {
  const { hardware: asFound } = foundOf({}, { ...NOTHING, hardware });
  const metadata = { ...metadataOf(vm, granted, placement), asFound };
  return act(snapshot, { kind: 'Adopt', metadata, reason: `The guest ${name} is adopted as it is.` });
}

const NOTHING = { name: '', cpus: 0, memoryBytes: 0, disks: [], interfaces: [], obstacles: [] };

/** It is never started in the place of one that is gone: that is another decision. */
function planGone({ granted }: Mine, message: string): Plan | undefined {
  if (granted.powerState === 'Stopped') return undefined;
  const termination: Termination = { reason: 'Vanished', initiator: 'Unknown', message };
  return { kind: 'Report', report: { powerState: 'Missing', termination } };
}

function pending(why: string): Plan {
  const reason = `The guest is not adopted yet, and nothing is done to it. ${why}`;
  const fault = { code: ADOPTION_PENDING, reason };
  return { kind: 'Report', report: { powerState: 'Starting', fault }, again: ADOPTION_RETRY_MS };
}

/** Why it is not what was granted. */
function unlike({ vm, granted }: Mine, domain: Domain, inspection: Inspection): string | undefined {
  const found = foundOf(domain, inspection);
  const [obstacle] = found.obstacles;
  if (obstacle !== undefined) return `${obstacle.field}: ${obstacle.message}`;
  const { cpus, memoryBytes } = inspection;
  const spec = specFound({ cpus, memory: formatQuantity(memoryBytes) }, found);
  const differences = differencesFrom(spec, vm.spec, granted.resources).map((part) => `spec.${part}`);
  if (differences.length > 0)
    return `${differences.join(', ')}: not what the guest has. Declare what it has first, and change that afterwards.`;
  if (powerStateFound(domain.powerState) === granted.powerState) return undefined;
  return `spec.powerState: ${granted.powerState} was granted, and it is ${domain.powerState}. Declare what it is first.`;
}
