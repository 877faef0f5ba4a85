// The sets of an operation, of VMs and of hypervisors: what they mean now, or what is wrong with them.
import { epochIsOver } from '#crds/derive/epoch.ts';
import { matcherOf, namesOf } from '#crds/set/names.ts';
import { parseSet } from '#crds/set/parse.ts';
import { byNumber } from '#crds/set/ranges.ts';
import { type Naming, SetFault } from '#crds/set/syntax.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { VirtualMachineOperation } from '#crds/v1alpha1/virtual-machine-operation.ts';
import { selectorMatches } from '#operator/placement/label-selector.ts';
import type { Guests } from './guests.ts';
import type { Snapshot } from './snapshot.ts';

/** More hypervisors are not suggested than a spec can name. */
const MOST_HINTS = 32;

/** The names, each once; or what is wrong with spec.targets. Pure. */
export function targetsOf(
  { spec }: VirtualMachineOperation,
  machines: ReadonlyMap<string, VirtualMachine>,
  guests: Guests = new Map(),
): readonly string[] | string {
  const { set = '*', selector, hypervisors = '*' } = spec.targets;
  try {
    const parsed = reading('spec.targets.set', set, 'VirtualMachine');
    const there = matcherOf(reading('spec.targets.hypervisors', hypervisors, 'Hypervisor'));
    const named = namesOf(parsed);
    if (named !== undefined && selector === undefined && spec.targets.hypervisors === undefined) return named;
    const belongs = matcherOf(parsed);
    if (spec.type === 'Adopt') return [...guests.keys()].filter(belongs).toSorted(byNumber);
    const isMeant = (vm: VirtualMachine) =>
      belongs(vm.metadata.name) &&
      (selector === undefined || selectorMatches(selector, vm.metadata.labels ?? {})) &&
      (spec.targets.hypervisors === undefined || (isHeld(vm) && there(vm.status?.placement?.hypervisor ?? '')));
    return [...machines.values()]
      .filter(isMeant)
      .map(({ metadata }) => metadata.name)
      .toSorted(byNumber);
  } catch (error) {
    if (!(error instanceof SetFault)) throw error;
    return error.message;
  }
}

/** Whether a hypervisor holds the permission to run it. */
export function isHeld({ status }: VirtualMachine): boolean {
  return status?.placement !== undefined && !epochIsOver(status);
}

function reading(field: string, text: string, naming: Naming) {
  try {
    return parseSet(text, naming);
  } catch (error) {
    if (error instanceof SetFault) error.message = `${field}: ${error.message}.`;
    throw error;
  }
}

/** What is wrong with spec.hypervisorHints. */
export function hintFault({ operation }: Pick<Snapshot, 'operation'>): string | undefined {
  const { hypervisorHints } = operation.spec;
  try {
    if (hypervisorHints !== undefined) reading('spec.hypervisorHints', hypervisorHints, 'Hypervisor');
    return undefined;
  } catch (error) {
    if (!(error instanceof SetFault)) throw error;
    return error.message;
  }
}

/** The hypervisors that are suggested, in the order of the set where it names them. */
export function hintedHypervisors({ operation, candidates }: Pick<Snapshot, 'operation' | 'candidates'>): string[] {
  const { hypervisorHints } = operation.spec;
  if (hypervisorHints === undefined) return [];
  const set = parseSet(hypervisorHints, 'Hypervisor');
  const belongs = matcherOf(set);
  const there = candidates
    .map(({ name }) => name)
    .filter(belongs)
    .toSorted(byNumber);
  return [...(namesOf(set) ?? there)].slice(0, MOST_HINTS);
}
