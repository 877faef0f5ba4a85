// Guests that nobody declares, by the names that their VirtualMachines would have: what operations of type Adopt choose from.

import { matcherOf } from '#crds/set/names.ts';
import { parseSet } from '#crds/set/parse.ts';
import { SetFault } from '#crds/set/syntax.ts';
import type { VirtualMachineOperation } from '#crds/v1alpha1/virtual-machine-operation.ts';
import type { Guest } from '#operator/adoption/faults.ts';
import { isMachineName } from '#operator/adoption/names.ts';
import { type GuestContext, guestOf } from '#operator/adoption/reconcile.ts';

export type Guests = ReadonlyMap<string, readonly Guest[]>;

/** On the hypervisors that it names, or on all. None for operations of another type. */
export function guestsFor(context: GuestContext, { spec, metadata }: VirtualMachineOperation): Guests {
  if (spec.type !== 'Adopt') return new Map();
  const isThere = matcherFor(spec.hypervisorHints);
  const guests = context.reports.cache
    .list()
    .filter(
      ({ spec: { nodeName }, status }) =>
        isThere(nodeName) && status?.domain?.reason === 'Foreign' && status.over !== true,
    )
    .map((report) => {
      const hypervisor = context.hypervisors.get(report.spec.nodeName);
      return guestOf(context, { report, hypervisor }, metadata.namespace);
    })
    .filter(({ name }) => isMachineName(name));
  return Map.groupBy(guests, ({ name }) => name);
}

/** Nobody where the set is written wrongly, which is told elsewhere. */
function matcherFor(hints: string | undefined): (name: string) => boolean {
  try {
    return hints === undefined ? () => true : matcherOf(parseSet(hints, 'Hypervisor'));
  } catch (error) {
    if (!(error instanceof SetFault)) throw error;
    return () => false;
  }
}
