// Guests whose memory is kept on disk, and what becomes of it.
import { expect } from 'chai';
import { hypervisorResource } from '#crds/v1alpha1/kinds.ts';
import type { VirtualMachineSpec } from '#crds/v1alpha1/virtual-machine-spec.ts';
import {
  changed,
  comesTo,
  DECIDE,
  isGone,
  ON_HV1,
  ON_HV2,
  REMOVE,
  RESTS,
  RUNS,
  running,
  START,
  STARTED,
  STOPPED,
  stopped,
} from './scenario-parts.ts';
import type { Site } from './site.ts';
import type { Scenario } from './sweep.ts';

const SAVE = ['get VirtualMachine', 'hibernate', 'observe', 'mergePatch VirtualMachine'];
const RESTORE = ['get VirtualMachine', 'start', 'observe', 'mergePatch VirtualMachine'];
const DISCARD = ['get VirtualMachine', 'discardImage', 'observe', 'mergePatch VirtualMachine'];
const HIBERNATED = [...STARTED, 'hv1 hibernated'];
const SLEEPS = comesTo('Hibernated', 'True', 'Hibernated');

async function hibernated(site: Site, spec: Partial<VirtualMachineSpec> = {}): Promise<void> {
  await running(site, spec);
  await changed(site, { powerState: 'Hibernated' });
  expect(await site.phaseOf('web')).to.equal('Hibernated');
}

/** Told of with its marks, and anybody's to remove. */
async function isOrphaned(site: Site): Promise<void> {
  await isGone(site);
  await site.clock.advance(60_000);
  const { status } = await site.user.get(hypervisorResource, { name: 'hv1' });
  const [orphan] = status?.unmanaged ?? [];
  expect(orphan).to.include({ name: 'team.web', powerState: 'ShutOff', reason: 'Orphaned' });
  const { machine } = site.host('hv1');
  expect(machine.get(orphan?.uuid ?? '').image).not.to.equal(undefined);
  machine.undefine(orphan?.uuid ?? '');
}

async function nothingIsKept(site: Site): Promise<void> {
  await RESTS(site);
  expect(site.host('hv1').machine.get(await site.uuidOf('web')).image).to.equal(undefined);
}

export const hibernations: readonly Scenario[] = [
  {
    title: 'is hibernated',
    given: running,
    act: async (site) => site.edit('web', { powerState: 'Hibernated' }),
    outcome: SLEEPS,
    histories: [HIBERNATED],
    protocol: { operator: DECIDE, hv1: SAVE },
  },
  {
    title: 'is hibernated where that takes three seconds',
    host: { saveMilliseconds: 3_000 },
    given: running,
    act: async (site) => site.edit('web', { powerState: 'Hibernated' }),
    outcome: SLEEPS,
    histories: [[...STARTED, 'hv1 being saved', 'hv1 hibernated']],
    protocol: { operator: DECIDE, hv1: SAVE },
  },
  {
    title: 'is hibernated, and wanted again while its memory is written',
    host: { saveMilliseconds: 3_000 },
    given: running,
    act: async (site) => {
      await site.edit('web', { powerState: 'Hibernated' });
      await site.clock.advance(1_000);
      await site.edit('web', { powerState: 'Running' });
    },
    outcome: RUNS,
    histories: [[...STARTED, 'hv1 being saved', 'hv1 hibernated', 'hv1 restored 1'], STARTED],
    unseen: 1,
    protocol: { operator: [...DECIDE, ...DECIDE], hv1: ['hibernate', ...RESTORE] },
  },
  {
    title: 'goes on from its memory',
    given: hibernated,
    act: async (site) => site.edit('web', { powerState: 'Running' }),
    outcome: RUNS,
    histories: [[...HIBERNATED, 'hv1 restored 1']],
    protocol: { operator: DECIDE, hv1: RESTORE },
  },
  {
    title: 'goes on from its memory where that takes three seconds',
    host: { startMilliseconds: 3_000 },
    given: hibernated,
    act: async (site) => site.edit('web', { powerState: 'Running' }),
    outcome: RUNS,
    histories: [[...HIBERNATED, 'hv1 restored 1']],
    protocol: { operator: DECIDE, hv1: RESTORE },
  },
  {
    title: 'comes back from its memory to stand still',
    given: hibernated,
    act: async (site) => site.edit('web', { powerState: 'Paused' }),
    outcome: comesTo('Paused', 'True', 'Paused'),
    histories: [[...HIBERNATED, 'hv1 restored 1']],
    protocol: { operator: DECIDE, hv1: RESTORE },
  },
  {
    title: 'is hibernated, and is to boot anew elsewhere',
    given: hibernated,
    act: async (site) => {
      await site.edit('web', { powerState: 'Stopped', ...ON_HV2 });
      await site.clock.advance(5_000);
      await site.edit('web', { powerState: 'Running' });
    },
    outcome: RUNS,
    histories: [
      [...HIBERNATED, 'hv1 undefined', 'hv2 started 2'],
      [...HIBERNATED, 'hv1 restored 1'],
    ],
    protocol: { operator: [...DECIDE, ...DECIDE], hv1: DISCARD, hv2: START },
  },
  {
    title: 'is hibernated, and stopped',
    given: hibernated,
    act: async (site) => site.edit('web', { powerState: 'Stopped' }),
    outcome: nothingIsKept,
    histories: [HIBERNATED],
    protocol: { operator: DECIDE, hv1: DISCARD },
  },
  {
    title: 'is hibernated, and deleted',
    given: hibernated,
    act: async (site) => site.delete('web'),
    outcome: isGone,
    histories: [[...HIBERNATED, 'hv1 undefined']],
    protocol: { operator: DECIDE, hv1: REMOVE },
  },
  {
    title: 'is hibernated, deleted, and released with its memory',
    given: async (site) => hibernated(site, { deletionPolicy: 'Release' }),
    act: async (site) => site.delete('web'),
    outcome: isOrphaned,
    histories: [[...HIBERNATED, 'hv1 undefined']],
    protocol: { operator: DECIDE, hv1: ['observe', 'mergePatch VirtualMachine'] },
  },
  {
    title: 'is to be hibernated, and is off',
    given: stopped,
    act: async (site) => site.edit('web', { powerState: 'Hibernated' }),
    outcome: comesTo('Stopped', 'True', 'NothingToHibernate'),
    histories: [STOPPED],
    protocol: { operator: DECIDE },
  },
  {
    title: 'is created to be hibernated',
    act: async (site) => site.create('web', { ...ON_HV1, powerState: 'Hibernated' }),
    outcome: comesTo('Stopped', 'True', 'NothingToHibernate'),
    histories: [[]],
    protocol: { operator: DECIDE },
  },
  {
    title: 'is hibernated, and somebody removes what was kept',
    given: hibernated,
    act: async (site) => {
      site.host('hv1').discardImageBehindOurBack(await site.uuidOf('web'));
      await site.edit('web', { powerState: 'Running' });
    },
    outcome: comesTo('Missing', 'False', 'Missing'),
    histories: [HIBERNATED],
    protocol: { operator: DECIDE, hv1: ['mergePatch VirtualMachine'] },
  },
];
