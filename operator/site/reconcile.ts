// The site as a whole: whether it is on hold, and the list of its hypervisors.
import type { Hypervisor } from '#crds/v1alpha1/hypervisor.ts';
import type { ReconcileResult } from '#runtime/controller/controller.ts';
import { controlPlaneUid } from '#runtime/kube/control-plane.ts';
import type { KubeObject } from '#runtime/kube/resource.ts';
import type { KubeStore } from '#runtime/kube/store.ts';
import type { Logger } from '#runtime/process/log.ts';
import { type Hold, holdOf, membersOf, type SiteSnapshot } from './hold.ts';
import { readRecord, SITE, type SiteRecord, writeRecord } from './record.ts';

export type Guests = SiteSnapshot['guests'] & {
  /** Identities of those that run where they were signed for, as far as they are reported. */
  readonly atHome: readonly string[];
};

export interface SiteContext {
  readonly store: KubeStore;
  readonly state: SiteState;
  readonly hypervisors: () => readonly Hypervisor[];
  readonly guests: () => Guests;
  readonly nextId: () => string;
  /** Called when the hold began, went on to another phase, or ended. */
  readonly onChange: () => void;
  /** Called when another control plane answers than the one of this term. */
  readonly onOtherControlPlane: () => void;
  readonly warn: (object: KubeObject, reason: string, message: string) => void;
  /** Told after every look: whether there is a hold, and how many hypervisors it waits for. */
  readonly observed: (held: boolean, waitingFor: number) => void;
  readonly logger: Logger;
}

/** What all decisions look at. Of one term: a new leader begins anew. */
export class SiteState {
  hold: Hold | undefined;
  /**
   * Identities of guests that ran where they were signed for when all had reported. Once a VM has its guest back that is
   * not reported any more, and a copy that another hypervisor claims to have would look like the guest itself.
   */
  atHome: ReadonlySet<string> = new Set();
  /** The uid of the control plane. */
  cluster: string | undefined;
  /** Whether there is a hold. */
  isKnown = false;
}

/** A person may confirm, or restore the list, at any time. */
const WAITING_MS = 3_000;
const AT_REST_MS = 60_000;

/** Rejects with a KubeError. */
export async function reconcileSite(context: SiteContext, signal: AbortSignal): Promise<ReconcileResult> {
  const { store, state } = context;
  const cluster = await controlPlaneUid(store, signal);
  if (state.cluster !== undefined && state.cluster !== cluster) {
    context.onOtherControlPlane();
    return {};
  }
  state.cluster = cluster;
  const record = await readRecord(store, signal);
  const hypervisors = context.hypervisors();
  const before = state.hold;
  const guests = context.guests();
  const hold = holdOf({ cluster, record, hypervisors, hold: before, nextId: context.nextId, guests });
  state.atHome = atHomeAfter(state, hold, guests.atHome);
  state.hold = hold;
  tell(context, before, hold);
  await keep(context, record, recordAfter({ cluster, record, hypervisors, hold }), signal);
  const isNews = !state.isKnown || before?.id !== hold?.id || before?.phase !== hold?.phase;
  state.isKnown = true;
  if (isNews) context.onChange();
  return { again: hold === undefined ? AT_REST_MS : WAITING_MS };
}

/** Nobody is believed who may not have reported yet: what is there then may have come with a backup. */
export function atHomeAfter(
  { hold: before, atHome }: Pick<SiteState, 'hold' | 'atHome'>,
  hold: Hold | undefined,
  found: readonly string[],
): SiteState['atHome'] {
  const known = before?.id === hold?.id ? atHome : [];
  return new Set(hold?.phase === 'Recreating' ? [...known, ...found] : known);
}

function tell({ warn, logger, observed }: SiteContext, before: Hold | undefined, hold: Hold | undefined): void {
  const [held, was] = [lasting(hold), lasting(before)];
  observed(held !== undefined, held?.waitingFor.length ?? 0);
  if (held?.phase === was?.phase && held?.needs === was?.needs) return;
  if (held === undefined) {
    logger.info('the hold of the site is over', { id: was?.id });
    return;
  }
  warn(SITE, 'SiteOnHold', `Nothing is placed. ${held.reason} ${held.needs}`);
  logger.warn('the site is on hold', { ...held });
}

function lasting(hold: Hold | undefined): Hold | undefined {
  return hold?.phase === 'Over' ? undefined : hold;
}

interface Looked extends Pick<SiteSnapshot, 'cluster' | 'record' | 'hypervisors'> {
  readonly hold: Hold | undefined;
}

/** The list of another control plane is kept until the hold is over: it says whom to wait for. */
function recordAfter({ cluster, record, hypervisors, hold }: Looked): SiteRecord {
  if (hold === undefined) return { cluster, hypervisors: membersOf(cluster, hypervisors), hold: '' };
  if (hold.phase !== 'Over') return { ...record, hold: inWords(hold) };
  const all = hypervisors.map(({ metadata }) => metadata.name).sort();
  return { cluster, hypervisors: all, hold: '' };
}

function inWords({ id, reason, needs }: Hold): string {
  return `Hold ${id}: nothing is placed. ${reason} ${needs}`;
}

async function keep({ store }: SiteContext, before: SiteRecord, after: SiteRecord, signal: AbortSignal): Promise<void> {
  const same =
    before.cluster === after.cluster &&
    before.hold === after.hold &&
    before.hypervisors.join() === after.hypervisors.join();
  if (!same) await writeRecord(store, after, signal);
}
