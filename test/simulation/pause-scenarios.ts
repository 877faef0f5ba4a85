// Guests that are made to stand still, by whoever.
import {
  comesTo,
  crash,
  DECIDE,
  isGone,
  ON_HV1,
  PAUSE,
  PAUSED,
  paused,
  REMOVE,
  RESTS,
  RESUME,
  RUNS,
  running,
  STANDS_STILL,
  START,
  STARTED,
} from './scenario-parts.ts';
import type { Scenario } from './sweep.ts';

export const pauses: readonly Scenario[] = [
  {
    title: 'is created to stand still',
    act: async (site) => site.create('web', { ...ON_HV1, powerState: 'Paused' }),
    outcome: STANDS_STILL,
    histories: [STARTED],
    protocol: { operator: DECIDE, hv1: START },
  },
  {
    title: 'is paused',
    given: running,
    act: async (site) => site.edit('web', { powerState: 'Paused' }),
    outcome: STANDS_STILL,
    histories: [PAUSED],
    protocol: { operator: DECIDE, hv1: PAUSE },
  },
  {
    title: 'is resumed',
    given: paused,
    act: async (site) => site.edit('web', { powerState: 'Running' }),
    outcome: RUNS,
    histories: [[...PAUSED, 'hv1 resumed']],
    protocol: { operator: DECIDE, hv1: RESUME },
  },
  {
    title: 'is paused and resumed within a second',
    given: running,
    act: async (site) => {
      await site.edit('web', { powerState: 'Paused' });
      await site.clock.advance(500);
      await site.edit('web', { powerState: 'Running' });
    },
    outcome: RUNS,
    histories: [[...PAUSED, 'hv1 resumed'], STARTED],
    protocol: { operator: [...DECIDE, ...DECIDE], hv1: [...PAUSE, ...RESUME] },
  },
  {
    title: 'is resumed by somebody though it is to stand still',
    given: paused,
    act: async (site) => site.host('hv1').resumeBehindOurBack(await site.uuidOf('web')),
    outcome: STANDS_STILL,
    histories: [[...PAUSED, 'hv1 resumed', 'hv1 paused']],
    protocol: { hv1: ['mergePatch VirtualMachine', ...PAUSE] },
  },
  {
    title: 'is paused by somebody, and left so',
    given: running,
    act: async (site) => site.host('hv1').pauseBehindOurBack(await site.uuidOf('web')),
    outcome: comesTo('Paused', 'False', 'PausedOnHost'),
    histories: [PAUSED],
    protocol: { hv1: ['observe', 'mergePatch VirtualMachine'] },
  },
  {
    title: 'stands still, and is stopped',
    given: paused,
    act: async (site) => site.edit('web', { powerState: 'Stopped' }),
    outcome: RESTS,
    histories: [[...PAUSED, 'hv1 resumed', 'hv1 shutting down', 'hv1 shut down']],
    protocol: { operator: DECIDE, hv1: ['shutdown', 'resume', 'mergePatch VirtualMachine'] },
  },
  {
    title: 'stands still, and is deleted at once',
    given: async (site) => paused(site, { powerOff: { mode: 'Force', gracePeriodSeconds: 60 } }),
    act: async (site) => site.delete('web'),
    outcome: isGone,
    histories: [[...PAUSED, 'hv1 destroyed', 'hv1 undefined']],
    protocol: { operator: DECIDE, hv1: ['destroy', ...REMOVE] },
  },
  {
    title: 'stands still, crashes, and is started again so',
    given: paused,
    act: crash,
    outcome: STANDS_STILL,
    histories: [[...PAUSED, 'hv1 crashed', 'hv1 started 1']],
    protocol: { hv1: ['mergePatch VirtualMachine', ...START] },
  },
];
