// All reading for a decision on one operation; the result is not changed any more.
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { VirtualMachineOperation } from '#crds/v1alpha1/virtual-machine-operation.ts';
import { isKubeError } from '#runtime/kube/errors.ts';
import { keyOf, keyText } from '#runtime/kube/resource.ts';
import { askRights } from './ask-rights.ts';
import { busyTargets, type OtherOperation } from './busy.ts';
import type { OperationContext } from './context.ts';
import { type Guests, guestsFor } from './guests.ts';
import { type Progress, progressOf, waitingIn } from './progress.ts';
import { hintedHypervisors, targetsOf } from './sets.ts';
import type { Snapshot } from './snapshot.ts';

/** Rejects with a KubeError where the API server does not say what the requester may do: then nothing is done. */
export async function observe(
  context: OperationContext,
  operation: VirtualMachineOperation,
  signal: AbortSignal,
): Promise<Snapshot> {
  const progress = progressIn(context, operation);
  const machines = machinesIn(context, operation.metadata.namespace);
  await addUnseen(context, { operation, progress, machines }, signal);
  const candidates = progress === undefined ? context.candidates() : candidatesForHints(context, operation);
  const guests = guestsFor(context.guests, operation);
  const names =
    progress === undefined ? namesMeant(operation, machines, guests) : nextTargets(context, operation, progress).next;
  const isAdoption = operation.spec.type === 'Adopt';
  const hints = progress === undefined && !isAdoption ? hintsMeant({ operation, candidates }) : [];
  const rights = await askRights(context, { operation, names, machines, hints, homes: homesOf(guests, names) }, signal);
  return {
    operation,
    progress,
    machines,
    guests,
    candidates,
    hold: context.hold(),
    // Looked at anew: while the rights were asked for, another operation may have begun.
    ...(progress === undefined
      ? { next: [], busy: new Map() }
      : stillFree(nextTargets(context, operation, progress), names)),
    rights,
    now: context.clock.now(),
  };
}

/** What is remembered goes further than what was written, never less far. */
function progressIn({ working }: Pick<OperationContext, 'working'>, operation: VirtualMachineOperation) {
  const known = working.get(keyText(keyOf(operation)));
  return known?.uid === operation.metadata.uid ? known.progress : progressOf(operation.status);
}

function machinesIn({ machines, machineWrites }: OperationContext, namespace: string): Map<string, VirtualMachine> {
  const all = machines.byIndex('namespace', namespace);
  return new Map(all.map((vm) => [vm.metadata.name, machineWrites.latest(vm)]));
}

interface Beginning {
  readonly operation: VirtualMachineOperation;
  readonly progress: Progress | undefined;
  readonly machines: Map<string, VirtualMachine>;
}

/** The cache is a moment behind: one that was just created may not be in it yet, and must not be called gone. */
async function addUnseen(context: OperationContext, { operation, progress, machines }: Beginning, signal: AbortSignal) {
  const { namespace } = operation.metadata;
  const unseen = [...(progress?.active.keys() ?? [])].filter((name) => !machines.has(name));
  for (const name of unseen) {
    const vm = await readMachine(context, { namespace, name }, signal);
    if (vm !== undefined) machines.set(name, vm);
  }
}

/** Read past every cache; undefined where there is none. */
export async function readMachine(
  { store, machineType }: Pick<OperationContext, 'store' | 'machineType'>,
  key: { namespace: string; name: string },
  signal: AbortSignal,
): Promise<VirtualMachine | undefined> {
  try {
    return await store.get(machineType, key, signal);
  } catch (error) {
    if (isKubeError(error, 'NotFound')) return undefined;
    throw error;
  }
}

/** None where they are written wrongly: the plan says so. */
function namesMeant(operation: VirtualMachineOperation, machines: ReadonlyMap<string, VirtualMachine>, guests: Guests) {
  const found = targetsOf(operation, machines, guests);
  return typeof found === 'string' ? [] : found;
}

function homesOf(guests: Guests, names: readonly string[]): string[] {
  return [...new Set(names.flatMap((name) => guests.get(name) ?? []).map(({ report }) => report.spec.nodeName))];
}

function candidatesForHints(context: OperationContext, { spec }: VirtualMachineOperation) {
  return spec.hypervisorHints === undefined ? [] : context.candidates();
}

function hintsMeant(meant: Pick<Snapshot, 'operation' | 'candidates'>): readonly string[] {
  try {
    return hintedHypervisors(meant);
  } catch {
    return [];
  }
}

interface Next {
  readonly next: readonly string[];
  readonly busy: ReadonlyMap<string, string>;
}

/** As many as its parallelism leaves room for, passing over those that another operation is at. */
function nextTargets(context: OperationContext, operation: VirtualMachineOperation, progress: Progress): Next {
  const waiting = waitingIn(progress);
  const busy = busyTargets(operation, waiting, othersThan(context, operation));
  const room = Math.max(0, operation.spec.parallelism - progress.active.size);
  return { next: waiting.filter((name) => !busy.has(name)).slice(0, room), busy };
}

function stillFree({ next, busy }: Next, asked: readonly string[]): Next {
  const known = new Set(asked);
  return { next: next.filter((name) => known.has(name)), busy };
}

function othersThan(context: OperationContext, { metadata }: VirtualMachineOperation): OtherOperation[] {
  return context.operations
    .byIndex('namespace', metadata.namespace)
    .map((cached) => context.ownWrites.latest(cached))
    .filter((other) => other.metadata.uid !== metadata.uid && other.status?.completionTime === undefined)
    .map((other) => ({ operation: other, progress: progressIn(context, other) }));
}
