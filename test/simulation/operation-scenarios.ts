// What operations do to one VM, each of it a piece of a life in which somebody may die at every step.
import { expect } from 'chai';
import type { OperationSpec } from '#crds/v1alpha1/operation-spec.ts';
import { isGone, ON_HV1, running, STARTED, STOPPED, stopped } from './scenario-parts.ts';
import type { Site } from './site.ts';
import type { Scenario } from './sweep.ts';

const TOLD = ['mergePatch VirtualMachineOperation'];
const TEMPLATE = {
  spec: { ...ON_HV1, resources: { cpus: 1, memory: '1Gi' }, boot: { kernel: { image: 'vmlinuz' } } },
} as unknown as NonNullable<OperationSpec['template']>;

const operate =
  (type: OperationSpec['type'], more: Partial<OperationSpec> = {}) =>
  async (site: Site) =>
    site.operate('op', { type, targets: { set: 'web' }, ...more });

/** Of the VM, and of the operation: with a death in between nobody knows what is done once. */
function comesTo(phase: string, ...operation: readonly string[]) {
  return async (site: Site) => {
    expect(await site.phaseOf('web')).to.equal(phase);
    const { status } = await site.operation('op');
    expect([status?.phase, status?.results?.[0]?.outcome].join(' ')).to.be.oneOf([...operation]);
  };
}

const DONE = 'Succeeded Succeeded';
const UNKNOWN = 'Failed Unknown';

export const operations: readonly Scenario[] = [
  {
    title: 'is shut down by an operation',
    refusals: 1,
    given: running,
    act: operate('Shutdown'),
    outcome: comesTo('Stopped', DONE),
    histories: [STOPPED],
    protocol: { operator: [...TOLD, 'apply VirtualMachine', ...TOLD], hv1: ['shutdown', 'mergePatch VirtualMachine'] },
  },
  {
    title: 'is started by an operation',
    refusals: 1,
    given: stopped,
    act: operate('Start'),
    outcome: comesTo('Running', DONE),
    histories: [[...STOPPED, 'hv1 started 2']],
    protocol: { operator: [...TOLD, 'apply VirtualMachine', ...TOLD], hv1: ['start', 'mergePatch VirtualMachine'] },
  },
  {
    title: 'is created by an operation',
    act: operate('Start', { template: TEMPLATE }),
    outcome: comesTo('Running', DONE),
    histories: [STARTED],
    protocol: { operator: [...TOLD, 'create VirtualMachine', ...TOLD], hv1: ['start', 'mergePatch VirtualMachine'] },
  },
  {
    title: 'is switched off by an operation',
    refusals: 1,
    given: running,
    act: operate('PowerOff'),
    outcome: comesTo('Stopped', DONE),
    histories: [[...STARTED, 'hv1 destroyed'], [...STARTED, 'hv1 shutting down', 'hv1 destroyed'], STOPPED],
    protocol: { operator: [...TOLD, 'apply VirtualMachine', 'mergePatch VirtualMachine', ...TOLD], hv1: ['destroy'] },
  },
  {
    title: 'is destroyed by an operation',
    refusals: 1,
    given: running,
    act: operate('Destroy'),
    outcome: isGone,
    histories: [
      [...STARTED, 'hv1 destroyed', 'hv1 undefined'],
      [...STARTED, 'hv1 shutting down', 'hv1 destroyed', 'hv1 undefined'],
      [...STOPPED, 'hv1 undefined'],
    ],
    protocol: { operator: [...TOLD, 'delete VirtualMachine', ...TOLD], hv1: ['destroy', 'undefine'] },
  },
  {
    title: 'is rebooted by an operation',
    given: running,
    act: operate('Reboot'),
    outcome: comesTo('Running', DONE, UNKNOWN),
    histories: [[...STARTED, 'hv1 rebooted'], STARTED],
    protocol: {
      operator: [...TOLD, 'mergePatch VirtualMachine', ...TOLD],
      hv1: ['mergePatch VirtualMachine', 'get VirtualMachine', 'reboot', 'observe', 'mergePatch VirtualMachine'],
    },
  },
  {
    title: 'is cycled by an operation',
    given: running,
    act: operate('Cycle'),
    outcome: comesTo('Running', DONE, UNKNOWN),
    histories: [[...STARTED, 'hv1 destroyed', 'hv1 started 1'], STARTED],
    protocol: {
      operator: [...TOLD, 'mergePatch VirtualMachine', ...TOLD],
      hv1: [
        'mergePatch VirtualMachine',
        'get VirtualMachine',
        'destroy',
        'define',
        'start',
        'mergePatch VirtualMachine',
      ],
    },
  },
];
