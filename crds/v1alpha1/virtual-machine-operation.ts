import type { KindDefinition } from '#crds/schema/kind.ts';
import type { ObjectMeta } from './fragments.ts';
import { type API_VERSION } from './names.ts';
import { type OperationSpec, operationSpecSchema } from './operation-spec.ts';
import { type OperationStatus, operationStatusSchema } from './operation-status.ts';

export interface VirtualMachineOperation {
  apiVersion: typeof API_VERSION;
  kind: 'VirtualMachineOperation';
  metadata: ObjectMeta & { namespace: string };
  spec: OperationSpec;
  status?: OperationStatus;
}

export const operationKind = {
  kind: 'VirtualMachineOperation',
  plural: 'virtualmachineoperations',
  singular: 'virtualmachineoperation',
  shortNames: ['uvmop'],
  scope: 'Namespaced',
  description:
    'Something done once to many virtual machines, with a result for each. It acts with the rights of whoever created it.',
  spec: operationSpecSchema,
  status: operationStatusSchema,
  statusDefault: {
    phase: 'Pending',
    conditions: [
      {
        type: 'Ready',
        status: 'Unknown',
        reason: 'Pending',
        message: 'Waiting for the operator to begin. If this lasts, check that the usher-operator is running.',
        lastTransitionTime: '1970-01-01T00:00:00Z',
      },
      {
        type: 'Reconciling',
        status: 'True',
        reason: 'Pending',
        message: 'Waiting for the operator to begin.',
        lastTransitionTime: '1970-01-01T00:00:00Z',
      },
    ],
  },
  columns: [
    { name: 'Type', type: 'string', jsonPath: '.spec.type', description: 'What is done.' },
    { name: 'Targets', type: 'string', jsonPath: '.status.summary', description: 'The VMs that were found.' },
    { name: 'Phase', type: 'string', jsonPath: '.status.phase', description: 'How far it is.' },
    { name: 'Done', type: 'string', jsonPath: '.status.done', description: 'How many of how many succeeded.' },
    {
      name: 'By',
      type: 'string',
      jsonPath: String.raw`.metadata.annotations['usher\.dev/requester']`,
      description: 'Who asked for it.',
    },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Since its creation.' },
    {
      name: 'Why',
      type: 'string',
      jsonPath: '.spec.reason',
      description: 'What it was done for.',
      priority: 1,
    },
    {
      name: 'Message',
      type: 'string',
      jsonPath: ".status.conditions[?(@.type=='Ready')].message",
      description: 'What it waits for, or what came of it.',
      priority: 1,
    },
  ],
  selectableFields: ['.spec.type', '.status.phase'],
} satisfies KindDefinition;
