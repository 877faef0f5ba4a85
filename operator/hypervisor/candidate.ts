// A Hypervisor object and what is heard of it, as placement sees it.
import { type Amount, amountOf, NO_AMOUNT } from '#crds/amount.ts';
import { findCondition, isConditionTrue } from '#crds/conditions.ts';
import type { Hypervisor, HypervisorStatus } from '#crds/v1alpha1/hypervisor.ts';
import type { Candidate, Mobility, Reachability } from '#operator/placement/candidate.ts';
import type { Heard } from './observe.ts';

type Held = Pick<Candidate, 'assigned' | 'disksInUse' | 'startsFail'>;

/** `held` is what VMs have there, and how their starts went. */
export function candidateOf(hypervisor: Hypervisor, heard: Heard, held: Held): Candidate {
  return { ...declaredOf(hypervisor), reachable: reachability(hypervisor, heard), ...held };
}

type Declared = Omit<Candidate, 'reachable' | keyof Held>;

/** Objects never change, and each VM that is placed is weighed against the same ones. */
const declared = new WeakMap<Hypervisor, Declared>();

function declaredOf(hypervisor: Hypervisor): Declared {
  const known = declared.get(hypervisor) ?? readDeclared(hypervisor);
  declared.set(hypervisor, known);
  return known;
}

function readDeclared({ metadata, spec, status }: Hypervisor): Declared {
  return {
    name: metadata.name,
    uid: metadata.uid,
    labels: metadata.labels ?? {},
    // What an administrator has just taken back counts at once.
    accepted: isConditionTrue(status?.conditions, 'Accepted') && spec.accepted !== false,
    unschedulable: spec.unschedulable === true || spec.maintenance === true,
    maintenance: spec.maintenance ?? false,
    migration: mobilityOf(status),
    allocatable: allocatableOf(status),
    guaranteesCpu: status?.capabilities?.features.includes('CpuGuarantees') ?? false,
  };
}

function mobilityOf({ migrationAddress, sharedPools = [], capabilities }: HypervisorStatus = {}): Mobility {
  const { type = '', architecture = '' } = capabilities ?? {};
  return { address: migrationAddress, sharedPools, type, architecture };
}

/** A daemon that does not know of guarantees keeps none. */
function allocatableOf({ allocatable, guaranteeable }: HypervisorStatus = {}): Amount {
  if (allocatable === undefined) return NO_AMOUNT;
  if (guaranteeable === undefined) return amountOf(allocatable);
  const { cpus, memoryBytes } = amountOf(guaranteeable);
  return { ...amountOf(allocatable), guaranteed: { cpuMillis: cpus * 1000, memoryBytes } };
}

function reachability({ metadata, status }: Hypervisor, { silentSince, outageGraceLeft }: Heard): Reachability {
  if (silentSince !== undefined) {
    const why = `The daemon of ${metadata.name} has been silent since ${silentSince}.`;
    return { yes: false, code: 'Silent', why, brief: false };
  }
  if (isNew(status)) {
    const why = `The daemon of ${metadata.name} has registered it, and has not reported on its guests yet.`;
    return { yes: false, code: 'NotReported', why, brief: true };
  }
  const driver = findCondition(status?.conditions, 'DriverConnected');
  if (driver?.status === 'False') {
    return {
      yes: false,
      code: 'DriverDisconnected',
      why: `The hypervisor of ${metadata.name} has not answered its daemon since ${driver.lastTransitionTime}.`,
      brief: outageGraceLeft !== 0,
    };
  }
  return { yes: true };
}

/** Its daemon has said nothing yet: what ran there under an earlier object of that name is not known any more. */
function isNew(status: HypervisorStatus | undefined): boolean {
  return ['Ready', 'DriverConnected'].every((type) => {
    const said = findCondition(status?.conditions, type);
    return said === undefined || said.reason === 'Pending';
  });
}
