// Whether the site is on hold: nothing is placed while guests may run that this control plane does not know of. Pure.
import type { Hypervisor } from '#crds/v1alpha1/hypervisor.ts';
import type { SiteRecord } from './record.ts';

/** Waiting: for hypervisors to report, or for a person. Recreating: VMs are written anew. */
export type HoldPhase = 'Waiting' | 'Recreating' | 'Over';

export interface Hold {
  /** New with each hold, and with each leader: an answer to it cannot be from a backup. */
  readonly id: string;
  readonly phase: HoldPhase;
  /** Why there is one: a sentence. */
  readonly reason: string;
  /** Hypervisors that have reported all that they have. What they report may be over since. */
  readonly heard: readonly string[];
  /** Those that have not. */
  readonly waitingFor: readonly string[];
  /** What it takes to go on, in sentences. */
  readonly needs: string;
}

export interface SiteSnapshot {
  /** The uid of this control plane. */
  readonly cluster: string;
  readonly record: SiteRecord;
  readonly hypervisors: readonly Hypervisor[];
  /** The hold as it was after the last look. */
  readonly hold: Hold | undefined;
  /** Names a hold that begins. */
  readonly nextId: () => string;
  readonly guests: {
    /** Reports of guests of ours that are not settled: their VMs are yet to be written anew, or to be found. */
    readonly unsettled: number;
    /** Those that bear marks of ours, and how many of these this site has signed. */
    readonly marked: number;
    readonly signed: number;
    /** Names of reports of guests that run where they were not meant to, and not where they were. */
    readonly astray: readonly string[];
    /** Hypervisor → how many guests of ours it reports. */
    readonly byHypervisor: ReadonlyMap<string, number>;
  };
}

/** Whether nothing may be placed, moved or begun. */
export function isOnHold(hold: Pick<Hold, 'phase'> | undefined): boolean {
  return hold !== undefined && hold.phase !== 'Over';
}

/** Where it says what the hold waits for. */
export const HOLD_ADVICE =
  'What that waits for: kubectl get configmap usher-site --namespace usher-system --output yaml';

/** The hold as it is now; undefined where there is none. */
export function holdOf(snapshot: SiteSnapshot): Hold | undefined {
  const { hold, nextId } = snapshot;
  const reason = reasonFor(snapshot);
  if (reason === undefined) return undefined;
  const lasting = hold !== undefined && !(hold.phase === 'Over' && hasNewDoubt(snapshot));
  const id = lasting ? hold.id : nextId();
  if (lasting && hold.phase === 'Over') return hold;
  const heard = heardFor(snapshot, id);
  const waitingFor = silentBut(snapshot, heard);
  const common = { id, reason, heard, waitingFor };
  const needs = needsOf(snapshot, { id, waitingFor });
  if (needs !== undefined) return { ...common, phase: 'Waiting', needs };
  const { unsettled } = snapshot.guests;
  if (unsettled > 0) {
    const what = `${unsettled} guests are being given back to their VirtualMachines.`;
    return { ...common, phase: 'Recreating', needs: what };
  }
  return { ...common, phase: 'Over', needs: '' };
}

function reasonFor({ cluster, record, hypervisors, hold }: SiteSnapshot): string | undefined {
  const doubting = namesWhere(hypervisors, ({ status }) => status?.controlPlane?.doubt !== undefined);
  if (doubting.some(({ doubt }) => doubt === 'WentBack'))
    return `This control plane is from a backup that is older than what ${inWords(doubting)} had seen.`;
  if (doubting.length > 0) return `${inWords(doubting)} served another control plane before this one.`;
  if (record.cluster !== '' && record.cluster !== cluster && hold?.phase !== 'Over')
    return 'The list of known hypervisors is that of another control plane, which this one stands in for.';
  return undefined;
}

interface Doubting {
  readonly name: string;
  readonly doubt: string | undefined;
}

function namesWhere(hypervisors: readonly Hypervisor[], is: (hypervisor: Hypervisor) => boolean): Doubting[] {
  return hypervisors
    .filter(is)
    .map(({ metadata, status }) => ({ name: metadata.name, doubt: status?.controlPlane?.doubt }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

const MOST_NAMES = 5;

function inWords(doubting: readonly Doubting[]): string {
  return listed(doubting.map(({ name }) => name));
}

/** A few names, and how many more. */
function listed(names: readonly string[]): string {
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : '';
  return `${names.slice(0, MOST_NAMES).join(', ')}${more}`;
}

/** One came into doubt that was not asked in this hold. */
function hasNewDoubt({ hypervisors, hold }: SiteSnapshot): boolean {
  return hypervisors.some(
    ({ metadata, status }) => status?.controlPlane?.doubt !== undefined && !hold?.heard.includes(metadata.name),
  );
}

/** Whose reports have all arrived here: they come by another way than the word that they are complete. */
function heardFor({ hypervisors, hold, guests }: SiteSnapshot, id: string): string[] {
  const before = new Set(hold?.id === id ? hold.heard : []);
  const hasReported = ({ metadata: { name }, status }: Hypervisor) =>
    status?.controlPlane?.answered === id && (guests.byHypervisor.get(name) ?? 0) >= (status.controlPlane.orphans ?? 0);
  return hypervisors
    .filter((hypervisor) => before.has(hypervisor.metadata.name) || hasReported(hypervisor))
    .map(({ metadata }) => metadata.name)
    .sort();
}

function silentBut({ record, hypervisors }: SiteSnapshot, heard: readonly string[]): string[] {
  const all = new Set([...record.hypervisors, ...hypervisors.map(({ metadata }) => metadata.name)]);
  return [...all].filter((name) => !heard.includes(name)).sort();
}

/** Undefined where nothing is missing any more, or a person has said to go on without. */
function needsOf(snapshot: SiteSnapshot, { id, waitingFor }: Pick<Hold, 'id' | 'waitingFor'>): string | undefined {
  const { record, guests } = snapshot;
  if (record.confirmed === id) return undefined;
  const confirm = `To go on all the same: kubectl annotate configmap usher-site --namespace usher-system --overwrite usher.dev/confirm-hold=${id}`;
  if (waitingFor.length > 0) return `Waiting for reports of ${listed(waitingFor)}. ${confirm}`;
  if (!knowsItsHypervisors(snapshot)) {
    return `Nobody knows which hypervisors there were: restore the ConfigMap usher-system/usher-site. ${confirm}`;
  }
  if (guests.marked > 0 && guests.signed === 0) {
    const what = `None of the ${guests.marked} guests that bear marks of Usher bears a signature of this site`;
    return `${what}: restore the Secret usher-system/usher-signing-key, and restart the operator. ${confirm}`;
  }
  if (guests.astray.length > 0) {
    const what = `${listed(guests.astray)}: a guest runs where it was not signed for, and not where it was`;
    return `${what}. Perhaps it was moved there meanwhile: its VM is not written anew. Look at it first. ${confirm}`;
  }
  return undefined;
}

/** The list came from before, or it has members that never served anybody else. */
function knowsItsHypervisors({ cluster, record, hypervisors }: SiteSnapshot): boolean {
  if (record.cluster !== '' && record.cluster !== cluster) return true;
  const strangers = new Set(
    namesWhere(hypervisors, ({ status }) => status?.controlPlane?.doubt === 'Foreign').map(({ name }) => name),
  );
  return record.hypervisors.some((name) => !strangers.has(name));
}

/** Those that are known to be of this control plane: the list that a site backs up. */
export function membersOf(cluster: string, hypervisors: readonly Hypervisor[]): string[] {
  return hypervisors
    .filter(({ status }) => status?.controlPlane?.uid === cluster && status.controlPlane.doubt === undefined)
    .map(({ metadata }) => metadata.name)
    .sort();
}
