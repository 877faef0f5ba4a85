import { expect } from 'chai';
import type { LastTermination } from '#crds/v1alpha1/virtual-machine-status.ts';
import { domainOf, domainOff, domainSnapshot, type SnapshotChanges } from '#test/builders/domain.ts';
import { planText } from '#test/builders/plan-text.ts';
import { TIME, timeAfter } from '#test/builders/time.ts';
import { uuidFor } from '#test/builders/uuid.ts';
import { HOLD, type PlacedChanges, placedMachine } from '#test/builders/virtual-machine.ts';
import type { RememberedEnd, StopInProgress } from './memory.ts';
import { planDomain } from './plan.ts';

const NOW = 1_000_000;

function planned(changes: SnapshotChanges): string {
  return planText(planDomain(domainSnapshot({ now: NOW, ...changes })));
}

function ended(reason: LastTermination['reason']): { status: { lastTermination: LastTermination } } {
  return { status: { lastTermination: { reason, initiator: 'Unknown', time: TIME, message: `${reason}.` } } };
}

/** Seen so many seconds ago. */
function toldEnd(reason: LastTermination['reason'], secondsAgo: number): RememberedEnd {
  const termination = { reason, initiator: 'Unknown', message: `${reason}.` } as const;
  return { at: NOW - secondsAgo * 1000, termination, told: true };
}

describe('the first start of a guest', () => {
  const vm = placedMachine();
  const failedStart = (code: string, secondsAgo: number, failures = 1) => ({
    memory: {
      restarts: 0,
      failedStart: {
        generation: 1,
        failures,
        failedAt: NOW - secondsAgo * 1000,
        answered: true,
        code,
        reason: 'It failed.',
      },
    },
  });
  const table: [string, SnapshotChanges, string][] = [
    ['is verified first', { cached: vm }, 'verify'],
    ['happens when it was granted and placed here', { live: vm }, 'Start'],
    [
      'happens when it is defined already, and was never started',
      { live: vm, domain: domainOff(vm, 'NeverStarted') },
      'Start',
    ],
    [
      'happens when a start failed before, which says nothing of an end',
      { live: vm, domain: domainOff(vm, 'Failed') },
      'Start',
    ],
    [
      'happens when what is defined ended under an earlier epoch',
      { live: placedMachine({ placement: { epoch: 2 } }), domain: domainOff(vm, 'Shutdown') },
      'Start, bearing epoch 1 until then',
    ],
    [
      'happens again when a slow one was told and the daemon restarted',
      { live: placedMachine({ instance: 'Starting' }), domain: domainOff(vm, 'Unknown') },
      'Start',
    ],
    [
      'waits until the newest spec is decided',
      { live: placedMachine({ metadata: { generation: 2 }, granted: { generation: 1 } }) },
      'nothing',
    ],
    ['waits while the Lease of the node is not renewed', { live: vm, leaseValid: false }, 'nothing, again in 1 s'],
    [
      'waits until the machine was looked at',
      { live: vm, room: { fits: undefined, reason: 'Not known.' } },
      'nothing, again in 1 s',
    ],
    ['is refused where there is no room', { live: vm, room: { fits: false, reason: 'No.' } }, 'tell Refused (NoRoom)'],
    [
      'is refused where it was meant for a Hypervisor of the same name that is no more',
      { live: placedMachine({ placement: { hypervisorUID: uuidFor('predecessor') } }) },
      'tell Refused (HypervisorReplaced)',
    ],
    ['never happens twice under one epoch', { live: placedMachine({ instance: 'Stopped' }) }, 'nothing'],
    [
      'is tried again five seconds after it failed',
      { live: vm, ...failedStart('StartFailed', 2) },
      'tell Starting (StartFailed), again in 3 s',
    ],
    [
      'is tried again with growing pauses',
      { live: vm, ...failedStart('StartFailed', 2, 4) },
      'tell Starting (StartFailed), again in 38 s',
    ],
    [
      'is tried again every five minutes in the long run',
      { live: vm, ...failedStart('StartFailed', 2, 90) },
      'tell Starting (StartFailed), again in 298 s',
    ],
    [
      'happens at once when the spec was changed, which may have cured it',
      { live: placedMachine({ metadata: { generation: 2 } }), ...failedStart('StartFailed', 2, 90) },
      'Start',
    ],
    ['happens when the pause after a failure is over', { live: vm, ...failedStart('StartFailed', 5) }, 'Start'],
    [
      'is refused when the hypervisor itself had no room',
      { live: vm, ...failedStart('NoRoom', 2) },
      'tell Refused (NoRoom)',
    ],
    [
      'is refused where another guest has its name: elsewhere it may be free',
      { live: placedMachine({ placement: { alternatives: 1 } }), ...failedStart('NameTaken', 2) },
      'tell Refused (NameTaken)',
    ],
    [
      'is tried again where another guest has its name, and there is no elsewhere',
      { live: placedMachine({ placement: { alternatives: 0 } }), ...failedStart('NameTaken', 2) },
      'tell Starting (NameTaken), again in 3 s',
    ],
  ];
  for (const [title, snapshot, expected] of table) {
    it(title, () => expect(planned(snapshot)).to.equal(expected));
  }

  it('for which there is no name says how to free it', () => {
    const plan = planDomain(domainSnapshot({ now: NOW, live: vm, ...failedStart('NameTaken', 2) }));
    expect(plan.kind === 'Report' ? plan.report.fault?.reason : plan.kind).to.match(
      /^It failed\. Rename that guest there \(virsh domrename\), or remove it \(virsh undefine\)\./,
    );
  });

  it('that keeps failing says that it is tried again, and what the guest holds here meanwhile', () => {
    const plan = planDomain(domainSnapshot({ now: NOW, live: vm, ...failedStart('StartFailed', 2) }));
    expect(plan.kind === 'Report' ? plan.report.fault?.reason : plan.kind).to.equal(
      'It failed. It is tried again, with growing pauses. Until it is stopped or deleted it holds 1 CPU and 1Gi of memory on hv1.',
    );
  });
});

describe('a start that fails again and again', () => {
  const failed = (failures: number, answered = true) => ({
    memory: {
      restarts: 0,
      failedStart: { generation: 1, failures, failedAt: NOW, answered, code: 'StartFailed', reason: 'It failed.' },
    },
  });
  const CRASHED = { reason: 'Crashed', initiator: 'Unknown', message: 'Crashed.' } as const;
  const movable = placedMachine({ placement: { alternatives: 1 } });
  const table: [string, SnapshotChanges, string][] = [
    [
      'is given back after three times, where another hypervisor could take the guest',
      { live: movable, ...failed(3) },
      'tell Refused (StartFailed)',
    ],
    ['is tried three times before', { live: movable, ...failed(2) }, 'tell Starting (StartFailed), again in 10 s'],
    [
      'stays where it is, where no other could',
      { live: placedMachine({ placement: { alternatives: 0 } }), ...failed(9) },
      'tell Starting (StartFailed), again in 300 s',
    ],
    [
      'is given back where the guest ran before under another permission, which may have been elsewhere',
      { live: placedMachine({ placement: { alternatives: 1 }, ...ended('StoppedByRequest') }), ...failed(3) },
      'tell Refused (StartFailed)',
    ],
    [
      'stays where it is, where the guest has run under this permission',
      {
        live: placedMachine({ placement: { alternatives: 1 }, instance: 'Crashed', ...ended('Crashed') }),
        domain: domainOff(placedMachine(), 'Crashed'),
        memory: { ...failed(3).memory, restarts: 1, ended: { at: NOW - 100_000, termination: CRASHED, told: true } },
      },
      'tell Crashed after Crashed (StartFailed), again in 20 s',
    ],
    [
      'stays where it is, where the hypervisor has not answered: it may run yet',
      { live: movable, ...failed(3, false) },
      'tell Starting (StartFailed), again in 20 s',
    ],
  ];
  for (const [title, snapshot, expected] of table) {
    it(title, () => expect(planned(snapshot)).to.equal(expected));
  }

  it('says that another hypervisor will be chosen', () => {
    const plan = planDomain(domainSnapshot({ now: NOW, live: movable, ...failed(1) }));
    expect(plan.kind === 'Report' ? plan.report.fault?.reason : plan.kind).to.equal(
      'It failed. It is tried again; after 3 failed starts another hypervisor is chosen.',
    );
  });
});

describe('a guest that ended by itself', () => {
  const told = (changes: PlacedChanges) => placedMachine({ instance: 'Running', ...changes });
  const policy = (restartPolicy: 'Always' | 'OnFailure' | 'Never') => told({ spec: { restartPolicy } });
  const off = (reason: Parameters<typeof domainOff>[1]) => domainOff(placedMachine(), reason);

  const table: [string, SnapshotChanges, string][] = [
    [
      'stays off under OnFailure when it powered itself off',
      { cached: policy('OnFailure'), domain: off('Shutdown') },
      'tell Stopped after StoppedByGuest',
    ],
    [
      'stays off under Never when it powered itself off',
      { cached: policy('Never'), domain: off('Shutdown') },
      'tell Stopped after StoppedByGuest',
    ],
    [
      'starts again under Always when it powered itself off',
      { cached: policy('Always'), domain: off('Shutdown') },
      'tell Starting after StoppedByGuest, again in 2 s',
    ],
    [
      'starts again under OnFailure when it crashed',
      { cached: policy('OnFailure'), domain: off('Crashed') },
      'tell Crashed after Crashed, again in 2 s',
    ],
    [
      'starts again under Always when it crashed',
      { cached: policy('Always'), domain: off('Failed') },
      'tell Crashed after Crashed, again in 2 s',
    ],
    [
      'is told to be destroyed, not crashed once more, when that came after a restart that was not told yet',
      {
        cached: told({ instance: 'Crashed', ...ended('Crashed') }),
        domain: off('Destroyed'),
        memory: { restarts: 1, startedAt: 999_000 },
      },
      'tell Missing after DestroyedOnHost',
    ],
    [
      'stays off under Never when it crashed',
      { cached: policy('Never'), domain: off('Crashed') },
      'tell Stopped after Crashed',
    ],
    [
      'starts again when the machine rebooted under it',
      {
        cached: told({ instance: { powerState: 'Running', bootID: uuidFor('an earlier boot') } }),
        domain: off('Unknown'),
      },
      'tell Crashed after HostRebooted, again in 2 s',
    ],
    [
      'ended by itself though the daemon had not told yet that it ran',
      { cached: placedMachine(), domain: off('Shutdown') },
      'tell Stopped after StoppedByGuest',
    ],
  ];
  for (const [title, snapshot, expected] of table) {
    it(title, () => expect(planned(snapshot)).to.equal(expected));
  }
});

describe('a guest that is gone though nobody asked for it', () => {
  const hold = placedMachine({ instance: 'Running' });
  const recreate = placedMachine({ instance: 'Running', spec: { recovery: { ...HOLD, onMissing: 'Recreate' } } });

  const table: [string, SnapshotChanges, string][] = [
    [
      'is told missing, and held, when it was destroyed on the host',
      { cached: hold, domain: domainOff(hold, 'Destroyed') },
      'tell Missing after DestroyedOnHost',
    ],
    ['is told missing, and held, when it vanished', { cached: hold }, 'tell Missing after Vanished'],
    [
      'is told missing, and held, when nobody knows why it is off',
      { cached: hold, domain: domainOff(hold, 'Unknown') },
      'tell Missing after Unknown',
    ],
    ['is told missing before it is created again', { live: recreate }, 'tell Missing after Vanished, again in 2 s'],
    [
      'is created again after a pause where that is wanted',
      { live: missing('Recreate'), memory: { restarts: 0, ended: toldEnd('Vanished', 2) } },
      'Start',
    ],
    [
      'is not created again where it is held',
      { live: missing('Hold'), memory: { restarts: 0, ended: toldEnd('Vanished', 2) } },
      'tell Missing after Vanished',
    ],
    [
      'is not created again where somebody moved it away, whatever is wanted',
      { live: missing('Recreate', 'MovedAway'), memory: { restarts: 0, ended: toldEnd('MovedAway', 2) } },
      'tell Missing after MovedAway',
    ],
    [
      'is not created again by a daemon that does not know why it is off: that was told',
      { live: missing('Recreate', 'MovedAway'), domain: domainOff(hold, 'Unknown') },
      'tell Missing after MovedAway',
    ],
    ['is told to run when it is found again', { cached: missing('Hold'), domain: domainOf(hold) }, 'tell Running'],
    [
      'stays gone for the reason that was told, where the hypervisor does not know it',
      { cached: missing('Hold'), domain: domainOff(hold, 'Unknown') },
      'tell Missing after Vanished',
    ],
    [
      'stays gone for the reason that was told, where a start has failed since',
      { cached: missing('Hold'), domain: domainOff(hold, 'Failed') },
      'tell Missing after Vanished',
    ],
    [
      'is told to have ended once more, where the hypervisor shows another end',
      { cached: missing('Hold'), domain: domainOff(hold, 'Shutdown') },
      'tell Stopped after StoppedByGuest',
    ],
    [
      'is held for the end that could not be told yet, whatever was told of the one before',
      {
        cached: placedMachine({ instance: 'Crashed', ...ended('Crashed') }),
        domain: domainOff(hold, 'Unknown'),
        memory: { restarts: 1, startedAt: NOW - 9_000, ended: { ...toldEnd('DestroyedOnHost', 5), told: false } },
      },
      'tell Missing after DestroyedOnHost',
    ],
  ];
  for (const [title, snapshot, expected] of table) {
    it(title, () => expect(planned(snapshot)).to.equal(expected));
  }

  function missing(onMissing: 'Hold' | 'Recreate', reason: 'Vanished' | 'MovedAway' = 'Vanished') {
    return placedMachine({ spec: { recovery: { ...HOLD, onMissing } }, instance: 'Missing', ...ended(reason) });
  }
});

describe('starting a crashed guest again', () => {
  const crashed = placedMachine({ instance: 'Crashed', ...ended('Crashed') });
  const domain = domainOff(crashed, 'Crashed');
  const at = (secondsAgo: number, restarts = 0) => ({
    memory: { restarts, ended: toldEnd('Crashed', secondsAgo) },
  });

  const table: [string, SnapshotChanges, string][] = [
    [
      'waits two seconds the first time',
      { live: crashed, domain, ...at(1) },
      'tell Crashed after Crashed, again in 1 s',
    ],
    ['happens when the pause is over', { live: crashed, domain, ...at(2) }, 'Start'],
    [
      'waits twice as long each time',
      { live: crashed, domain, ...at(2, 3) },
      'tell Crashed after Crashed, again in 14 s',
    ],
    [
      'waits five minutes at most',
      { live: crashed, domain, ...at(100, 60) },
      'tell Crashed after Crashed, again in 200 s',
    ],
    [
      'waits anew when a restarted daemon does not know since when',
      { live: crashed, domain },
      'tell Crashed after Crashed, again in 2 s',
    ],
    ['is verified first', { cached: crashed, domain, ...at(2) }, 'verify'],
    [
      'does not happen when the policy was changed to Never',
      { live: { ...crashed, spec: { ...crashed.spec, restartPolicy: 'Never' } }, domain, ...at(2) },
      'tell Stopped after Crashed',
    ],
    [
      'is refused where there is no room any more',
      { live: crashed, domain, ...at(2), room: { fits: false, reason: 'No.' } },
      'tell Refused (NoRoom)',
    ],
    [
      'tells why it is failing, and that it crashed before',
      {
        live: crashed,
        domain,
        memory: {
          ...at(60).memory,
          failedStart: {
            generation: 1,
            failures: 1,
            failedAt: NOW,
            answered: true,
            code: 'StartFailed',
            reason: 'It failed.',
          },
        },
      },
      'tell Crashed after Crashed (StartFailed), again in 5 s',
    ],
    [
      'follows a reboot that was told, though the machine does not reboot again',
      {
        live: placedMachine({ instance: 'Crashed', ...ended('HostRebooted') }),
        domain: domainOff(crashed, 'Unknown'),
        ...at(2),
      },
      'Start',
    ],
  ];
  for (const [title, snapshot, expected] of table) {
    it(title, () => expect(planned(snapshot)).to.equal(expected));
  }
});

describe('a guest that was declared running again before it had obeyed the request to stop', () => {
  const vm = placedMachine({ instance: 'Stopping' });
  const domain = domainOff(vm, 'Shutdown');
  const stopped = (changes: Partial<StopInProgress>) => ({
    memory: {
      restarts: 0,
      stop: {
        askedAt: NOW - 3_000,
        lastAskedAt: NOW - 3_000,
        by: { kind: 'Request' as const },
        withdrawn: false,
        ...changes,
      },
    },
  });

  const table: [string, SnapshotChanges, string][] = [
    ['ended as it was asked', { cached: vm, domain, ...stopped({}) }, 'tell Stopped after StoppedByRequest'],
    [
      'ended by force as it was asked',
      { cached: vm, domain, ...stopped({ by: { kind: 'Force' } }) },
      'tell Stopped after ForcedByRequest',
    ],
    [
      'ended as it was asked though it seemed to run on',
      { cached: vm, domain, ...stopped({ withdrawn: true }) },
      'tell Stopped after StoppedByRequest',
    ],
    [
      'ended as it was asked where that is minutes ago: it may take its time, without a sign',
      { cached: vm, domain, ...stopped({ withdrawn: true, lastAskedAt: NOW - 299_000 }) },
      'tell Stopped after StoppedByRequest',
    ],
    [
      'ended by itself where that was long ago',
      { cached: vm, domain, ...stopped({ withdrawn: true, lastAskedAt: NOW - 300_000 }) },
      'tell Stopped after StoppedByGuest',
    ],
    [
      'ended as it was asked by a daemon that died before it could report',
      { cached: decided(1, { generation: 3 }), domain, wallTime: Date.parse(timeAfter(3600)) },
      'tell Stopped after StoppedByRequest',
    ],
    [
      'ended as it was asked by a daemon that died a moment ago',
      { cached: decided(1), domain, wallTime: Date.parse(timeAfter(60)) },
      'tell Stopped after StoppedByRequest',
    ],
    [
      'ended as it was asked by a daemon that died before it could report, though clocks were set back',
      { cached: decided(-86_400, { generation: 3 }, { generation: 2 }), domain },
      'tell Stopped after StoppedByRequest',
    ],
    [
      'ended by itself where a later spec than that of the stop was told under an earlier permission',
      { cached: decided(-1, { generation: 3 }, { generation: 1 }), domain },
      'tell Stopped after StoppedByGuest',
    ],
    [
      'ended by itself long after it was asked by a daemon that has died',
      { cached: decided(1), domain, wallTime: Date.parse(timeAfter(301)) },
      'tell Stopped after StoppedByGuest',
    ],
    [
      'ended by itself where clocks have jumped so far that nobody can tell',
      { cached: decided(1), domain, wallTime: Date.parse(timeAfter(-3600)) },
      'tell Stopped after StoppedByGuest',
    ],
    [
      'ended by itself where it was to stop under an earlier permission',
      { cached: decided(-1, { generation: 3 }), domain, wallTime: Date.parse(timeAfter(3)) },
      'tell Stopped after StoppedByGuest',
    ],
    [
      'crashed where the hypervisor says so, whatever it was asked',
      { cached: decided(1), domain: domainOff(vm, 'Crashed'), wallTime: Date.parse(timeAfter(3)) },
      'tell Crashed after Crashed, again in 2 s',
    ],
  ];

  /** It was decided so many seconds after the placement that the guest stops, and then that it runs. */
  function decided(seconds: number, granted: { generation?: number } = {}, about: { generation?: number } = {}) {
    const stop = { event: 'vm.shutdown.request', policy: 'default', verdict: 'Allow', reason: '' } as const;
    const decisions = [{ ...stop, ...about, time: timeAfter(seconds) }];
    return placedMachine({ instance: 'Running', granted, status: { decisions } });
  }

  for (const [title, snapshot, expected] of table) {
    it(title, () => expect(planned(snapshot)).to.equal(expected));
  }
});
