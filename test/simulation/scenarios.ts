// What users, guests and hypervisors do to one VM, each of it a piece of a life in which somebody may die at every step.

import { expect } from 'chai';
import { timestampOf } from '#runtime/clock/clock.ts';
import { uuidFor } from '#test/builders/uuid.ts';
import { HOLD } from '#test/builders/virtual-machine.ts';
import { hibernations } from './hibernate-scenarios.ts';
import { operations } from './operation-scenarios.ts';
import { pauses } from './pause-scenarios.ts';
import {
  BIGGER,
  changed,
  comesTo,
  crash,
  DECIDE,
  isGone,
  ON_HV1,
  ON_HV2,
  PATIENCE_MS,
  REMOVE,
  RESTS,
  RUNS,
  running,
  START,
  STARTED,
  STOP,
  STOPPED,
  stopped,
  stoppedFor,
  stubborn,
} from './scenario-parts.ts';
import type { Site } from './site.ts';
import type { Scenario } from './sweep.ts';

async function expiresIn(site: Site, seconds: number): Promise<void> {
  await site.edit('web', { expirationTime: timestampOf(site.clock.now() + seconds * 1000) });
}

const LIMITED = { resources: { cpuReservation: '500m', cpuLimit: '0.75' } };

const births: readonly Scenario[] = [
  {
    title: 'is created',
    act: async (site) => site.create('web', ON_HV1),
    outcome: RUNS,
    histories: [STARTED],
    protocol: { operator: DECIDE, hv1: START },
  },
  {
    title: 'is created where a start takes three seconds',
    host: { startMilliseconds: 3_000 },
    act: async (site) => site.create('web', ON_HV1),
    outcome: RUNS,
    histories: [STARTED],
    protocol: { operator: DECIDE, hv1: ['define', 'start', 'mergePatch VirtualMachine', 'mergePatch VirtualMachine'] },
  },
  {
    title: 'is created, and cannot be started at first',
    act: async (site) => {
      site.host('hv1').faults.order({ verb: 'start', outcome: 'Failed' });
      await site.create('web', ON_HV1);
    },
    outcome: RUNS,
    histories: [STARTED],
    protocol: { operator: DECIDE, hv1: ['start', 'mergePatch VirtualMachine', 'start', 'mergePatch VirtualMachine'] },
  },
  {
    title: 'is created, and the answer to its start is lost',
    act: async (site) => {
      site.host('hv1').faults.order({ verb: 'start', outcome: 'Timeout', takesEffect: true });
      await site.create('web', ON_HV1);
    },
    outcome: RUNS,
    histories: [STARTED],
    protocol: { operator: DECIDE, hv1: START },
  },
  {
    title: 'is created, and refused by the hypervisor chosen first',
    given: async (site) => {
      site.host('hv1').createForeign({ uuid: uuidFor('squatter'), name: 'team.web', running: false });
    },
    act: async (site) => site.create('web', ON_HV1),
    outcome: RUNS,
    histories: [['hv2 started 2']],
    protocol: { operator: [...DECIDE, ...DECIDE], hv1: ['define', 'mergePatch VirtualMachine'], hv2: START },
  },
];

const changes: readonly Scenario[] = [
  {
    title: 'is edited in a way that takes effect at once',
    given: running,
    act: async (site) => site.edit('web', { restartPolicy: 'Always' }),
    outcome: RUNS,
    histories: [STARTED],
    protocol: { operator: DECIDE, hv1: ['observe', 'mergePatch VirtualMachine'] },
  },
  {
    title: 'is edited in a way that needs a restart',
    given: running,
    act: async (site) => site.edit('web', BIGGER),
    outcome: async (site) => {
      await comesTo('Running', 'False', 'RestartRequired')(site);
      const pending = (await site.machine('web')).status?.pendingChanges?.map(({ field }) => field);
      expect(pending).to.deep.equal(['spec.resources.cpus', 'spec.resources.memory']);
    },
    histories: [STARTED],
    protocol: { operator: DECIDE, hv1: ['observe', 'mergePatch VirtualMachine'] },
  },
  {
    title: 'is given a limit of CPU time while it runs',
    given: running,
    act: async (site) => site.edit('web', LIMITED),
    outcome: async (site) => {
      await RUNS(site);
      const uuid = await site.uuidOf('web');
      expect(site.host('hv1').machine.limits(uuid)).to.deep.equal({ cpuShares: 5120, cpuLimitMillis: 750 });
      const { instance, pendingChanges } = (await site.machine('web')).status ?? {};
      expect([instance?.resources?.cpuLimit, pendingChanges]).to.deep.equal(['750m', undefined]);
    },
    histories: [STARTED],
    protocol: { operator: DECIDE, hv1: ['get VirtualMachine', 'setLimits', 'observe', 'mergePatch VirtualMachine'] },
  },
  {
    title: 'is stopped',
    given: running,
    act: async (site) => site.edit('web', { powerState: 'Stopped' }),
    outcome: RESTS,
    histories: [STOPPED],
    protocol: { operator: DECIDE, hv1: STOP },
  },
  {
    title: 'is stopped, and does not listen',
    given: stubborn,
    act: async (site) => site.edit('web', { powerState: 'Stopped' }),
    outcome: RESTS,
    histories: [[...STARTED, 'hv1 destroyed']],
    protocol: { operator: DECIDE, hv1: ['shutdown', 'destroy', 'mergePatch VirtualMachine'] },
  },
  {
    title: 'is started again',
    given: stopped,
    act: async (site) => site.edit('web', { powerState: 'Running' }),
    outcome: RUNS,
    histories: [[...STOPPED, 'hv1 started 2']],
    protocol: { operator: DECIDE, hv1: START },
  },
  {
    title: 'is started again elsewhere, with what was changed meanwhile',
    given: async (site) => {
      await running(site);
      await changed(site, BIGGER);
      await changed(site, { powerState: 'Stopped', ...ON_HV2 });
    },
    act: async (site) => site.edit('web', { powerState: 'Running' }),
    outcome: async (site) => {
      await RUNS(site);
      expect((await site.machine('web')).status?.instance?.resources).to.deep.equal(BIGGER.resources);
    },
    histories: [[...STOPPED, 'hv1 undefined', 'hv2 started 2']],
    protocol: { operator: DECIDE, hv1: ['get VirtualMachine', 'undefine'], hv2: START },
  },
  {
    title: 'is stopped, and wanted again before it has obeyed',
    host: { shutdownMilliseconds: 4_000 },
    given: running,
    act: async (site) => stoppedFor(site, 1_000),
    outcome: RUNS,
    histories: [[...STOPPED, 'hv1 started 2'], STARTED],
    protocol: { operator: [...DECIDE, ...DECIDE, ...DECIDE], hv1: [...STOP, ...START] },
  },
  {
    title: 'is stopped, and wanted again when it was told that it is stopping',
    host: { shutdownMilliseconds: 4_000 },
    given: running,
    act: async (site) => stoppedFor(site, 3_000),
    outcome: RUNS,
    histories: [[...STOPPED, 'hv1 started 2'], STARTED],
    protocol: { operator: [...DECIDE, ...DECIDE, ...DECIDE], hv1: [...STOP, ...STOP.slice(-1), ...START] },
  },
  {
    title: 'is stopped, and wanted again, and obeys without a sign',
    given: async (site) => stubborn(site, 30),
    act: async (site) => {
      await stoppedFor(site, 1_000);
      await site.clock.advance(1_000);
      const asked = site.host('hv1').log.count('shutdown') > 0;
      if (asked) site.host('hv1').powerOffFromInside(await site.uuidOf('web'));
    },
    outcome: RUNS,
    histories: [[...STARTED, 'hv1 shut down', 'hv1 started 2'], STARTED],
    protocol: { operator: [...DECIDE, ...DECIDE, ...DECIDE], hv1: [...STOP, ...START] },
  },
];

const times: readonly Scenario[] = [
  {
    title: 'comes to the end of its time',
    given: running,
    act: async (site) => expiresIn(site, 3),
    outcome: comesTo('Stopped', 'False', 'Expired'),
    histories: [STOPPED],
    protocol: { operator: [...DECIDE, ...DECIDE], hv1: STOP },
  },
  {
    title: 'is given more time after it was over',
    given: async (site) => {
      await running(site);
      await expiresIn(site, -1);
      await site.clock.advance(PATIENCE_MS);
    },
    act: async (site) => site.edit('web', { expirationTime: null }),
    outcome: RUNS,
    histories: [[...STOPPED, 'hv1 started 2']],
    protocol: { operator: DECIDE, hv1: START },
  },
];

const ends: readonly Scenario[] = [
  {
    title: 'is deleted',
    given: running,
    act: async (site) => site.delete('web'),
    outcome: isGone,
    histories: [[...STOPPED, 'hv1 undefined']],
    protocol: { operator: DECIDE, hv1: ['get VirtualMachine', 'shutdown', ...REMOVE] },
  },
  {
    title: 'is deleted, and does not listen',
    given: stubborn,
    act: async (site) => site.delete('web'),
    outcome: isGone,
    histories: [[...STARTED, 'hv1 destroyed', 'hv1 undefined']],
    protocol: { operator: DECIDE, hv1: ['shutdown', 'destroy', 'undefine', 'observe', 'mergePatch VirtualMachine'] },
  },
  {
    title: 'is deleted while it is being started',
    host: { startMilliseconds: 3_000 },
    act: async (site) => {
      await site.create('web', ON_HV1);
      await site.clock.advance(1_000);
      await site.delete('web');
    },
    outcome: isGone,
    histories: [[...STOPPED, 'hv1 undefined'], ['hv1 undefined'], []],
    protocol: { operator: [...DECIDE, ...DECIDE], hv1: ['define', 'start', 'shutdown', ...REMOVE] },
  },
  {
    title: 'is deleted after it was stopped',
    given: stopped,
    act: async (site) => site.delete('web'),
    outcome: isGone,
    histories: [[...STOPPED, 'hv1 undefined']],
    protocol: { operator: DECIDE, hv1: REMOVE },
  },
  {
    title: 'is deleted, and its guest released',
    given: async (site) => running(site, { deletionPolicy: 'Release' }),
    act: async (site) => site.delete('web'),
    outcome: isGone,
    histories: [[...STARTED, 'hv1 released']],
    protocol: { operator: DECIDE, hv1: ['get VirtualMachine', 'release', 'observe', 'mergePatch VirtualMachine'] },
  },
  {
    title: 'crashes, and is restarted by its restartPolicy',
    given: running,
    act: crash,
    outcome: RUNS,
    histories: [[...STARTED, 'hv1 crashed', 'hv1 started 1']],
    protocol: { hv1: ['mergePatch VirtualMachine', ...START] },
  },
  {
    title: 'crashes, and is not restarted by its restartPolicy',
    given: async (site) => running(site, { restartPolicy: 'Never' }),
    act: crash,
    outcome: comesTo('Failed', 'False', 'Crashed'),
    histories: [[...STARTED, 'hv1 crashed']],
    protocol: { hv1: ['observe', 'mergePatch VirtualMachine'] },
  },
  {
    title: 'powers itself off, and is not restarted by its restartPolicy',
    given: running,
    act: async (site) => site.host('hv1').powerOffFromInside(await site.uuidOf('web')),
    outcome: comesTo('Stopped', 'False', 'StoppedByGuest'),
    histories: [[...STARTED, 'hv1 shut down']],
    protocol: { hv1: ['observe', 'mergePatch VirtualMachine'] },
  },
  {
    title: 'powers itself off, and is restarted by its restartPolicy',
    given: async (site) => running(site, { restartPolicy: 'Always' }),
    act: async (site) => site.host('hv1').powerOffFromInside(await site.uuidOf('web')),
    outcome: RUNS,
    histories: [[...STARTED, 'hv1 shut down', 'hv1 started 1']],
    protocol: { hv1: ['mergePatch VirtualMachine', ...START] },
  },
  {
    title: 'is destroyed by somebody, and held by its recovery',
    given: running,
    act: async (site) => site.host('hv1').destroyBehindOurBack(await site.uuidOf('web')),
    outcome: comesTo('Missing', 'False', 'Missing'),
    histories: [[...STARTED, 'hv1 destroyed']],
    protocol: { hv1: ['observe', 'mergePatch VirtualMachine'] },
  },
  {
    title: 'is destroyed by somebody, and recreated by its recovery',
    given: async (site) => running(site, { recovery: { ...HOLD, onMissing: 'Recreate' } }),
    act: async (site) => site.host('hv1').destroyBehindOurBack(await site.uuidOf('web')),
    outcome: RUNS,
    histories: [[...STARTED, 'hv1 destroyed', 'hv1 started 1']],
    protocol: { hv1: ['mergePatch VirtualMachine', ...START] },
  },
];

export const scenarios: readonly Scenario[] = [
  ...births,
  ...changes,
  ...times,
  ...pauses,
  ...hibernations,
  ...ends,
  ...operations,
];
