// Why a hypervisor cannot take a VM. Each filter is named after the fault it finds; the first fault counts.
import { formatQuantity } from '#crds/quantity.ts';
import { type Candidate, type Demand, free } from './candidate.ts';
import { selectorMatches } from './label-selector.ts';

/** `code` groups hypervisors with the same fault in a summary; `text` completes "N of them …". */
export interface Fault {
  readonly code:
    | 'NotAccepted'
    | 'Unreachable'
    | 'Unschedulable'
    | 'NotReported'
    | 'SelectorMismatch'
    | 'TooFewCpus'
    | 'TooLittleMemory'
    | 'RefusedIt';
  readonly text: string;
}

type Filter = (candidate: Candidate, demand: Demand) => Fault | undefined;

const filters: readonly Filter[] = [
  notAccepted,
  unreachable,
  unschedulable,
  notReported,
  selectorMismatch,
  tooFewCpus,
  tooLittleMemory,
  refusedIt,
];

export function faultOf(candidate: Candidate, demand: Demand): Fault | undefined {
  for (const filter of filters) {
    const fault = filter(candidate, demand);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function notAccepted(candidate: Candidate): Fault | undefined {
  return candidate.accepted ? undefined : { code: 'NotAccepted', text: 'not accepted yet' };
}

function unreachable(candidate: Candidate): Fault | undefined {
  return candidate.reachable.yes ? undefined : { code: 'Unreachable', text: 'not reachable' };
}

function unschedulable(candidate: Candidate): Fault | undefined {
  return candidate.unschedulable ? { code: 'Unschedulable', text: 'cordoned (spec.unschedulable)' } : undefined;
}

/** Its daemon registers it first, and looks at the machine after that. */
function notReported({ allocatable }: Candidate): Fault | undefined {
  if (allocatable.cpus > 0 || allocatable.memoryBytes > 0) return undefined;
  return { code: 'NotReported', text: 'whose daemon has not said yet what the machine has' };
}

function selectorMismatch(candidate: Candidate, { selector }: Demand): Fault | undefined {
  if (selector === undefined || selectorMatches(selector, candidate.labels)) return undefined;
  return { code: 'SelectorMismatch', text: 'not matching spec.placement.requiredHypervisorSelector' };
}

function tooFewCpus(candidate: Candidate, { amount }: Demand): Fault | undefined {
  if (free(candidate).cpus >= amount.cpus) return undefined;
  return { code: 'TooFewCpus', text: `with too few CPUs (${amount.cpus} needed)` };
}

function tooLittleMemory(candidate: Candidate, { amount }: Demand): Fault | undefined {
  if (free(candidate).memoryBytes >= amount.memoryBytes) return undefined;
  return { code: 'TooLittleMemory', text: `with too little memory (${formatQuantity(amount.memoryBytes)} needed)` };
}

function refusedIt(candidate: Candidate, { refusedBy }: Demand): Fault | undefined {
  if (!refusedBy.includes(candidate.name)) return undefined;
  return { code: 'RefusedIt', text: 'whose daemon refused it a moment ago' };
}
