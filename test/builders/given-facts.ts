// VirtualMachines whose recorded facts are given in a few words, for tables of verdicts.
import type { Condition } from '#crds/v1alpha1/fragments.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { VirtualMachineSpec } from '#crds/v1alpha1/virtual-machine-spec.ts';
import type { InstanceState, LastTermination, VirtualMachineStatus } from '#crds/v1alpha1/virtual-machine-status.ts';
import { pauseDecided } from './arbitrary-machine.ts';
import { TIME } from './time.ts';

export interface Given {
  powerState?: VirtualMachineSpec['powerState'];
  restartPolicy?: 'Always' | 'OnFailure' | 'Never';
  onMissing?: 'Hold' | 'Recreate';
  deleting?: boolean;
  generation?: number;
  granted?: false | { generation?: number; powerState?: VirtualMachineSpec['powerState'] };
  placed?: boolean;
  instance?: InstanceState;
  instanceEpoch?: number;
  ended?: LastTermination['reason'];
  /** Reason of Provisioned. */
  obstacle?: 'NotOurs' | 'StateUnknown' | 'StopFailed' | 'RemoveFailed' | 'PauseFailed' | 'ResumeFailed';
  /** The generation for which it was decided that the guest stands still. */
  pausedBy?: number;
  silent?: boolean;
  denied?: boolean;
  unplaceable?: boolean;
  pending?: boolean;
  resizePending?: boolean;
}

function condition(type: string, status: 'True' | 'False', message = ''): Condition {
  return { type, status, reason: `${type}Reason`, message, lastTransitionTime: TIME };
}

/** What the given facts are recorded as. */
export function statusOf(given: Given): VirtualMachineStatus {
  const { powerState = 'Running', granted = {}, placed = true } = given;
  const conditions = [
    ...(given.silent ? [condition('HypervisorReachable', 'False', 'Silent.')] : []),
    ...(given.denied ? [condition('Authorized', 'False', 'Denied.')] : []),
    ...(given.unplaceable ? [condition('Placed', 'False', 'No room.')] : []),
    ...(given.resizePending ? [condition('ResizePending', 'True', 'No room to grow.')] : []),
    ...(given.obstacle ? [{ ...condition('Provisioned', 'False', 'It is so.'), reason: given.obstacle }] : []),
  ];
  return {
    conditions,
    ...(given.pausedBy === undefined ? {} : { decisions: [pauseDecided(given.pausedBy)] }),
    ...(granted === false
      ? {}
      : {
          granted: {
            generation: granted.generation ?? 1,
            powerState: granted.powerState ?? powerState,
            resources: { cpus: 1, memory: '1Gi' },
            decisionID: 'd',
          },
        }),
    ...(placed
      ? {
          placement: {
            hypervisor: 'hv1',
            hypervisorUID: 'h',
            epoch: 2,
            decidedBy: 'default',
            reason: '',
            time: TIME,
            signature: '',
          },
        }
      : {}),
    ...(given.instance === undefined
      ? {}
      : {
          instance: {
            epoch: given.instanceEpoch ?? 2,
            generation: 1,
            powerState: given.instance,
            uuid: 'u',
            bootID: 'b',
            since: TIME,
          },
        }),
    ...(given.ended === undefined
      ? {}
      : { lastTermination: { reason: given.ended, initiator: 'Guest', time: TIME, message: '' } }),
    ...(given.pending ? { pendingChanges: [{ field: 'spec.resources.memory', current: '1Gi', desired: '2Gi' }] } : {}),
  };
}

/** A VM with that status. */
export function machine(given: Given): VirtualMachine {
  const { powerState = 'Running', restartPolicy = 'OnFailure', onMissing = 'Hold' } = given;
  return {
    apiVersion: 'usher.dev/v1alpha1',
    kind: 'VirtualMachine',
    metadata: {
      name: 'web',
      namespace: 'team',
      uid: 'uid',
      resourceVersion: '1',
      generation: given.generation ?? 1,
      ...(given.deleting ? { deletionTimestamp: TIME } : {}),
    },
    spec: {
      powerState,
      restartPolicy,
      recovery: { onLost: 'Hold', lostTimeoutSeconds: 300, onMissing },
      powerOff: { mode: 'GracefulThenForce', gracePeriodSeconds: 60 },
      resources: { cpus: 1, memory: '1Gi' },
      boot: { kernel: { image: 'vmlinuz' } },
    },
    status: statusOf(given),
  };
}
