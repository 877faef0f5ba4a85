// What every observed state amounts to, for the reference pages: worked out by the code that decides it, not written down.
import { verdictOf } from '#crds/derive/verdict.ts';
import type { Verdict } from '#crds/derive/verdict-facts.ts';
import { API_VERSION } from '#crds/v1alpha1/names.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { InstanceState, LastTermination, VirtualMachineStatus } from '#crds/v1alpha1/virtual-machine-status.ts';

const TIME = '1970-01-01T00:00:00Z';
const HYPERVISOR = 'hv1';
const GRANTED_RESOURCES = { cpus: 1, memory: '1Gi' };

interface Observed {
  readonly title: string;
  readonly instance?: InstanceState;
  readonly ended?: LastTermination['reason'];
  readonly silent?: boolean;
}

const observations: readonly Observed[] = [
  { title: 'nothing reported yet' },
  { title: 'running', instance: 'Running' },
  { title: 'paused', instance: 'Paused' },
  { title: 'hibernated', instance: 'Hibernated' },
  { title: 'shutting down', instance: 'Stopping' },
  { title: 'powered off by the guest', instance: 'Stopped', ended: 'StoppedByGuest' },
  { title: 'crashed, to be started again', instance: 'Crashed', ended: 'Crashed' },
  { title: 'crashed, and left so', instance: 'Stopped', ended: 'Crashed' },
  { title: 'destroyed or gone on the host', instance: 'Missing', ended: 'Vanished' },
  { title: 'refused by the hypervisor', instance: 'Refused' },
  { title: 'stopped as asked', instance: 'Stopped', ended: 'StoppedByRequest' },
  { title: 'its daemon is silent, it ran', instance: 'Running', silent: true },
  { title: 'its daemon is silent, it was hibernated', instance: 'Hibernated', silent: true },
];

const declarations = [
  { powerState: 'Running', restartPolicy: 'Always' },
  { powerState: 'Running', restartPolicy: 'OnFailure' },
  { powerState: 'Running', restartPolicy: 'Never' },
  { powerState: 'Paused', restartPolicy: 'OnFailure' },
  { powerState: 'Hibernated', restartPolicy: 'OnFailure' },
  { powerState: 'Stopped', restartPolicy: 'OnFailure' },
] as const;
type Declared = (typeof declarations)[number];

/** A Markdown table: a row per observation, a column per declaration, in each cell phase, reason and whether Ready. */
export function readinessTable(): string {
  const heads = declarations.map(({ powerState, restartPolicy }) =>
    powerState === 'Running' ? `\`Running\`, \`${restartPolicy}\`` : `\`${powerState}\``,
  );
  const rows = observations.map((observed) => [
    observed.title,
    ...declarations.map((declared) => cell(declared, observed)),
  ]);
  return [['observed', ...heads], heads.concat('').map(() => '---'), ...rows]
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n');
}

function cell(declared: Declared, observed: Observed): string {
  const { phase, ready, reason } = verdict(declared, observed);
  const what = phase === reason ? phase : `${phase}: ${reason}`;
  return ready ? `**${what}**` : what;
}

function verdict(declared: Declared, observed: Observed): Verdict {
  const status = statusOf(declared, observed);
  const vm: VirtualMachine = {
    apiVersion: API_VERSION,
    kind: 'VirtualMachine',
    metadata: { name: 'web', namespace: 'default', uid: '', resourceVersion: '1', generation: 1 },
    spec: {
      ...declared,
      resources: GRANTED_RESOURCES,
      boot: { kernel: { image: 'vmlinuz' } },
      powerOff: { mode: 'GracefulThenForce', gracePeriodSeconds: 60 },
      recovery: { onLost: 'Hold', lostTimeoutSeconds: 300, onMissing: 'Hold' },
    },
    status,
  };
  return verdictOf(vm, status);
}

function statusOf({ powerState }: Declared, { instance, ended, silent }: Observed): VirtualMachineStatus {
  const silence = {
    type: 'HypervisorReachable',
    status: 'False',
    reason: 'Silent',
    message: '',
    lastTransitionTime: TIME,
  } as const;
  const report = { epoch: 1, generation: 1, uuid: '', bootID: '', since: TIME };
  return {
    granted: { generation: 1, powerState, resources: GRANTED_RESOURCES, decisionID: '' },
    placement: {
      hypervisor: HYPERVISOR,
      hypervisorUID: '',
      epoch: 1,
      // Hibernated, and not allowed to go on since.
      runnableGeneration: instance === 'Hibernated' ? 0 : 1,
      decidedBy: '',
      reason: '',
      time: TIME,
      signature: '',
    },
    ...(instance === undefined ? {} : { instance: { ...report, powerState: instance } }),
    ...(ended === undefined
      ? {}
      : { lastTermination: { reason: ended, initiator: 'Unknown', time: TIME, message: '' } }),
    conditions: silent ? [silence] : [],
  };
}
