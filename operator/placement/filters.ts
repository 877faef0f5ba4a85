// Why a hypervisor cannot take a VM. Each filter is named after the fault it finds.
import { wantsIn } from '#crds/amount.ts';
import { formatCpus } from '#crds/cpu-quantity.ts';
import { readableQuantity } from '#crds/quantity.ts';
import { type Candidate, type Demand, free } from './candidate.ts';
import { otherUser } from './disk-uses.ts';
import { selectorMatches } from './label-selector.ts';

/** `code` groups hypervisors with the same fault in a summary; `text` completes "N of them …". */
export interface Fault {
  readonly code:
    | 'NotAccepted'
    | 'Unreachable'
    | 'Unschedulable'
    | 'NotReported'
    | 'SelectorMismatch'
    | 'DiskInUse'
    | 'TooFewCpus'
    | 'TooLittleMemory'
    | 'CannotGuarantee'
    | 'TooFewCpusToReserve'
    | 'TooLittleMemoryToGuarantee'
    | 'RefusedIt';
  readonly text: string;
}

type Filter = (candidate: Candidate, demand: Demand) => Fault | undefined;

/** With any of these the hypervisor is out of the question, however much room it has: the first is told alone. */
const closed: readonly Filter[] = [
  notAccepted,
  notReported,
  unreachable,
  unschedulable,
  selectorMismatch,
  diskInUse,
  cannotGuarantee,
];
/** What is missing on one that is open: all of it is told, so that nobody cures one want only to hear of the next. */
const wants: readonly Filter[] = [tooFewCpus, tooLittleMemory, tooFewCpusToReserve, tooLittleMemoryToGuarantee];
/** Told of those alone that would have room. */
const last: readonly Filter[] = [refusedIt];

/** All faults that count; none where the hypervisor can take it. */
export function faultsOf(candidate: Candidate, demand: Demand): readonly Fault[] {
  for (const filter of closed) {
    const fault = filter(candidate, demand);
    if (fault !== undefined) return [fault];
  }
  const faultsBy = (filters: readonly Filter[]) => filters.flatMap((filter) => filter(candidate, demand) ?? []);
  const missing = faultsBy(wants);
  return missing.length > 0 ? missing : faultsBy(last);
}

const sizes: ReadonlySet<Fault['code']> = new Set([
  'TooFewCpus',
  'TooLittleMemory',
  'TooFewCpusToReserve',
  'TooLittleMemoryToGuarantee',
]);

/** Whether it is open for the VM and only its room is missing. */
export function isTooSmall(faults: readonly Fault[]): boolean {
  return faults.some(({ code }) => sizes.has(code));
}

function notAccepted(candidate: Candidate): Fault | undefined {
  return candidate.accepted ? undefined : { code: 'NotAccepted', text: 'not accepted' };
}

function unreachable(candidate: Candidate): Fault | undefined {
  return candidate.reachable.yes ? undefined : { code: 'Unreachable', text: 'not reachable' };
}

function unschedulable(candidate: Candidate): Fault | undefined {
  if (candidate.maintenance) return { code: 'Unschedulable', text: 'in maintenance (spec.maintenance)' };
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

function diskInUse({ disksInUse }: Candidate, { disks, uid }: Demand): Fault | undefined {
  for (const disk of disks) {
    const user = otherUser(disksInUse, disk, uid);
    const { name, pool, volume } = disk;
    const text = `where disk ${name} (volume ${volume} of pool ${pool}) is in use by ${user?.name}`;
    if (user !== undefined) return { code: 'DiskInUse', text };
  }
  return undefined;
}

function cannotGuarantee(candidate: Candidate, demand: Demand): Fault | undefined {
  if (!demand.guaranteesCpu || candidate.guaranteesCpu) return undefined;
  return { code: 'CannotGuarantee', text: 'that cannot guarantee or limit CPU time' };
}

/** However overcommitted it is: what was reserved is not given twice. */
function tooFewCpusToReserve(candidate: Candidate, { amount }: Demand): Fault | undefined {
  if (!wantsIn(amount, free(candidate)).includes('ReservedCpus')) return undefined;
  const needed = formatCpus(amount.guaranteed?.cpuMillis ?? 0);
  return { code: 'TooFewCpusToReserve', text: `with too few CPUs left to reserve (${needed} needed)` };
}

function tooLittleMemoryToGuarantee(candidate: Candidate, { amount }: Demand): Fault | undefined {
  if (!wantsIn(amount, free(candidate)).includes('GuaranteedMemory')) return undefined;
  const needed = readableQuantity(amount.guaranteed?.memoryBytes ?? 0, 'up');
  return { code: 'TooLittleMemoryToGuarantee', text: `with too little memory left to guarantee (${needed} needed)` };
}

function tooFewCpus(candidate: Candidate, { amount }: Demand): Fault | undefined {
  if (free(candidate).cpus >= amount.cpus) return undefined;
  return { code: 'TooFewCpus', text: `with too few free CPUs (${amount.cpus} needed)` };
}

function tooLittleMemory(candidate: Candidate, { amount }: Demand): Fault | undefined {
  if (free(candidate).memoryBytes >= amount.memoryBytes) return undefined;
  const needed = readableQuantity(amount.memoryBytes, 'up');
  return { code: 'TooLittleMemory', text: `with too little free memory (${needed} needed)` };
}

function refusedIt(candidate: Candidate, { refusedBy }: Demand): Fault | undefined {
  if (!refusedBy.includes(candidate.name)) return undefined;
  return { code: 'RefusedIt', text: 'whose daemon refused it a moment ago' };
}
