// Two statuses of one VirtualMachine that differ in every field, and one as large as the schema allows.

import type { Condition, Usage } from '#crds/v1alpha1/fragments.ts';
import type { VirtualMachineStatus } from '#crds/v1alpha1/virtual-machine-status.ts';
import { condition } from './requests.ts';

export type Fields = Required<Omit<VirtualMachineStatus, 'conditions'>>;
export type Field = keyof Fields;

const EARLY = '2026-01-01T00:00:00Z';
const LATE = '2026-01-02T00:00:00Z';
const UUID = '7f8e6a50-0000-4000-8000-000000000001';

function fields(turn: 1 | 2): Fields {
  const time = turn === 1 ? EARLY : LATE;
  return {
    observedGeneration: turn,
    phase: turn === 1 ? 'Running' : 'Lost',
    granted: { generation: turn, powerState: 'Running', resources: { cpus: 1, memory: '64Mi' }, decisionID: 'd1' },
    placement: {
      hypervisor: 'n1',
      hypervisorUID: UUID,
      epoch: turn,
      decidedBy: 'default',
      reason: 'The least loaded.',
      time,
      signature: 'c2lnbmVk',
    },
    instance: { epoch: 1, generation: turn, powerState: 'Running', uuid: UUID, bootID: UUID, since: EARLY },
    migration: migrationOf(turn, time),
    managed: { origin: turn === 1 ? 'Created' : 'Adopted' },
    addresses: [{ ip: `10.0.0.${turn}`, source: 'Lease' }],
    usage: usage(turn, time),
    lastTermination: { reason: 'Crashed', initiator: 'Guest', time, message: 'The guest crashed.' },
    currentOperation: {
      uid: UUID,
      name: 'reboot-web',
      type: 'Reboot',
      epoch: turn,
      state: 'Done',
      startTime: EARLY,
      completionTime: time,
      message: 'The guest was asked to reboot.',
    },
    pendingChanges: [{ field: 'spec.resources.cpus', current: '1', desired: String(turn + 1) }],
    decisions: [{ event: 'vm.start.request', policy: 'default', verdict: 'Allow', reason: 'Allowed.', time }],
    transitions: [{ seq: turn, type: 'Running', time, cause: 'Running on n1.' }],
  };
}

function migrationOf(attempt: 1 | 2, time: string): Fields['migration'] {
  const plan = {
    source: 'n1',
    target: 'n3',
    targetUID: UUID,
    epoch: 2,
    address: 'qemu+tls://n3/system',
    step: 'Move' as const,
    requestedBy: 'maintenance of n1',
    reason: 'The only one that fits.',
    deadline: LATE,
    timeoutSeconds: 60,
  };
  return {
    plan: { ...plan, attempt, time },
    verdict: { attempt, result: 'Failed', reason: 'It took too long.', time },
    source: { attempt, state: 'Moving', time },
    target: { attempt, state: 'Ready', time },
  };
}

function usage(value: number, time: string): Usage {
  const averages = { oneMinute: value, fiveMinutes: value, fifteenMinutes: value };
  const rates = { networkReceive: averages, networkTransmit: averages, diskRead: averages, diskWrite: averages };
  return { time, cpu: averages, memory: averages, ...rates };
}

export const before = fields(1);
export const after = fields(2);

/** Every list full and every text as long as it may be: what the policy must judge within its cost limits. */
export function largest(conditionTypes: readonly string[]): VirtualMachineStatus {
  const [decision] = before.decisions;
  const [transition] = before.transitions;
  const [change] = before.pendingChanges;
  const [address] = before.addresses;
  const times = <T extends object>(count: number, item: T | undefined, text: Partial<T>): T[] =>
    Array.from({ length: count }, () => ({ ...item, ...text }) as T);
  return {
    ...before,
    decisions: times(16, decision, { policy: 'p'.repeat(253), reason: 'r'.repeat(1024) }),
    transitions: times(16, transition, { cause: 'c'.repeat(1024) }),
    pendingChanges: times(32, change, { current: 'c'.repeat(256), desired: 'd'.repeat(256) }),
    addresses: times(32, address, { interface: 'i'.repeat(63) }),
    conditions: [...conditionTypes, ...fillers(16 - conditionTypes.length)].map(longCondition),
  };
}

function fillers(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `Filler${String.fromCharCode(65 + index)}`);
}

function longCondition(type: string): Condition {
  return { ...condition(type), status: 'True', message: 'm'.repeat(2048) };
}
