// Valid Hypervisors, and what placement sees of them, of which a test says only what differs.
import type { Hypervisor, HypervisorSpec, HypervisorStatus } from '#crds/v1alpha1/hypervisor.ts';
import { API_VERSION } from '#crds/v1alpha1/names.ts';
import type { Candidate, Demand } from '#operator/placement/candidate.ts';
import { condition } from './condition.ts';
import { TIME } from './time.ts';
import { uuidFor } from './uuid.ts';

export const GIBIBYTE = 2 ** 30;

export interface HypervisorChanges {
  readonly metadata?: Partial<Hypervisor['metadata']>;
  readonly spec?: Partial<HypervisorSpec>;
  readonly status?: Partial<HypervisorStatus>;
}

/** hv1 unless named otherwise: accepted, open, and with 8 CPUs and 16 GiB to give. */
export function hypervisor(changes: HypervisorChanges = {}): Hypervisor {
  const { name = 'hv1' } = changes.metadata ?? {};
  return {
    apiVersion: API_VERSION,
    kind: 'Hypervisor',
    metadata: {
      name,
      uid: uuidFor(name),
      resourceVersion: '50',
      generation: 1,
      creationTimestamp: TIME,
      ...changes.metadata,
    },
    spec: { nodeName: name, driver: 'simulated', unschedulable: false, scanIntervalSeconds: 30, ...changes.spec },
    status: {
      capacity: { cpus: 8, memory: '16Gi' },
      allocatable: { cpus: 8, memory: '16Gi' },
      capabilities: { type: 'simulated', version: '1', architecture: 'x86_64', features: [] },
      migrationAddress: `simulated://${name}`,
      bootID: uuidFor(`boot of ${name}`),
      conditions: [
        condition('Accepted', 'True', { reason: 'Allowed', observedGeneration: 1 }),
        condition('Schedulable', 'True', { reason: 'Open', observedGeneration: 1 }),
        condition('Ready', 'True', { reason: 'Operational', observedGeneration: 1 }),
        condition('DriverConnected', 'True', { reason: 'Connected', observedGeneration: 1 }),
      ],
      ...changes.status,
    },
  };
}

/** hv1 unless named otherwise: it could take a VM, with 8 CPUs and 16 GiB to give and nothing given yet. */
export function candidate(changes: Partial<Candidate> = {}): Candidate {
  const { name = 'hv1' } = changes;
  return {
    name,
    uid: uuidFor(name),
    labels: {},
    accepted: true,
    unschedulable: false,
    maintenance: false,
    migration: { address: `simulated://${name}`, sharedPools: [], type: 'simulated', architecture: 'x86_64' },
    reachable: { yes: true },
    allocatable: { cpus: 8, memoryBytes: 16 * GIBIBYTE },
    guaranteesCpu: false,
    assigned: { cpus: 0, memoryBytes: 0 },
    disksInUse: new Map(),
    startsFail: false,
    ...changes,
  };
}

/** One CPU and 1 GiB, anywhere. */
export function demand(changes: Partial<Demand> = {}): Demand {
  return {
    uid: uuidFor('team/web'),
    amount: { cpus: 1, memoryBytes: GIBIBYTE },
    guaranteesCpu: false,
    preferred: [],
    selector: undefined,
    disks: [],
    refusedBy: [],
    ...changes,
  };
}
