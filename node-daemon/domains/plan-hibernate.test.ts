import { expect } from 'chai';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { domainOf, domainOff, domainSnapshot, type SnapshotChanges } from '#test/builders/domain.ts';
import { planText } from '#test/builders/plan-text.ts';
import { timeAfter } from '#test/builders/time.ts';
import { type PlacedChanges, placedMachine } from '#test/builders/virtual-machine.ts';
import type { DomainMemory } from './memory.ts';
import { planDomain } from './plan.ts';

const NOW = 1_000_000;

function planned(vm: VirtualMachine, snapshot: SnapshotChanges): string {
  return planText(planDomain(domainSnapshot({ live: vm, now: NOW, ...snapshot })));
}

function declared(powerState: VirtualMachine['spec']['powerState'], changes: PlacedChanges = {}): VirtualMachine {
  return placedMachine({ ...changes, spec: { powerState, ...changes.spec } });
}

function kept(vm: VirtualMachine, epoch = 1) {
  return { domain: domainOff(vm, 'Saved', { hasImage: true, metadata: { epoch } }) };
}

function failed(kind: 'Hibernate' | 'DiscardImage', ago: number): DomainMemory {
  return { restarts: 0, failedStep: { kind, times: 1, failedAt: NOW - ago, why: 'the disk is full' } };
}

describe('a guest that is declared Hibernated', () => {
  const vm = declared('Hibernated');
  const told = declared('Hibernated', { instance: 'Hibernated' });
  const over = declared('Hibernated', { instance: 'Stopped' });
  const ran = declared('Hibernated', { instance: 'Running' });
  const recreate = declared('Hibernated', {
    spec: { recovery: { onLost: 'Hold', lostTimeoutSeconds: 300, onMissing: 'Recreate' } },
    instance: 'Hibernated',
  });

  const table: [string, VirtualMachine, SnapshotChanges, string][] = [
    ['that runs is hibernated', vm, { domain: domainOf(vm) }, 'Hibernate'],
    ['that is paused is hibernated', vm, { domain: domainOf(vm, { powerState: 'Paused' }) }, 'Hibernate'],
    ['is not touched on the word of a cache', vm, { cached: vm, live: undefined, domain: domainOf(vm) }, 'verify'],
    ['is left at that', vm, { domain: domainOf(vm, { powerState: 'Saving' }) }, 'nothing, again in 5 s'],
    [
      'and cannot be: tells why, and goes on as it is',
      vm,
      { domain: domainOf(vm, { powerState: 'Paused' }), memory: failed('Hibernate', 1_000) },
      'tell Paused (HibernateFailed), again in 4 s',
    ],
    ['and could not be is tried again', vm, { domain: domainOf(vm), memory: failed('Hibernate', 6_000) }, 'Hibernate'],
    ['and kept is told', vm, kept(vm), 'tell Hibernated'],
    ['and kept under an earlier permission: that is refused and removed', vm, kept(vm, 0), 'DiscardImage'],
    ['and kept though its permission is over: that is removed', over, kept(vm), 'DiscardImage'],
    ['that was never started stays off', vm, {}, 'tell Stopped'],
    ['that is off stays off', over, {}, 'nothing'],
    ['that crashed before has nothing to keep', ran, { domain: domainOff(vm, 'Failed') }, 'tell Stopped after Crashed'],
    [
      'that somebody destroyed before is held',
      ran,
      { domain: domainOff(vm, 'Destroyed') },
      'tell Missing after DestroyedOnHost',
    ],
    ['whose memory is gone is held', told, { domain: domainOff(vm, 'Saved') }, 'tell Missing after SavedImageGone'],
    ['whose domain is gone, too, is held', told, {}, 'tell Missing after SavedImageGone'],
    [
      'whose memory is gone is off where that shall be made good',
      recreate,
      { domain: domainOff(vm, 'Saved') },
      'tell Stopped after SavedImageGone',
    ],
  ];
  for (const [title, machine, snapshot, expected] of table) {
    it(title, () => expect(planned(machine, snapshot)).to.equal(expected));
  }
});

describe('a guest whose memory is kept, and that is declared', () => {
  const wanted = declared('Running', { instance: 'Hibernated' });
  const still = declared('Paused', { instance: 'Hibernated' });
  const stopped = declared('Stopped', { instance: 'Hibernated' });
  const anew = declared('Running', { placement: { epoch: 2 } });
  const image = kept(wanted);
  const failedStart = {
    generation: 1,
    failures: 1,
    failedAt: NOW - 1_000,
    answered: true,
    code: 'StartFailed',
    reason: 'No.',
  };
  const saved = (changes: PlacedChanges) =>
    declared('Running', {
      metadata: { generation: 3 },
      instance: { powerState: 'Running', generation: 1 },
      ...changes,
    });
  const hibernation = {
    event: 'vm.hibernate.request',
    policy: 'default',
    verdict: 'Allow',
    reason: '',
    generation: 2,
    time: timeAfter(0),
  } as const;

  const table: [string, VirtualMachine, SnapshotChanges, string][] = [
    ['Running goes on from it', wanted, image, 'Restore'],
    ['Paused comes back from it standing still', still, image, 'Restore paused'],
    [
      'Running, when nobody could tell yet that it had been hibernated, goes on from it',
      saved({ status: { decisions: [hibernation] } }),
      image,
      'Restore',
    ],
    ['Running, and was saved by somebody, is held', saved({}), image, 'tell Missing after DestroyedOnHost'],
    [
      'Running waits for what is decided',
      declared('Running', { metadata: { generation: 2 }, granted: { generation: 1 }, instance: 'Hibernated' }),
      image,
      'nothing',
    ],
    ['Running waits for the Lease of the node', wanted, { ...image, leaseValid: false }, 'nothing, again in 1 s'],
    [
      'Running keeps its permission where there is no room',
      wanted,
      { ...image, room: { fits: false, reason: 'It is full.' } },
      'tell Hibernated (NoRoom), again in 30 s',
    ],
    [
      'Running keeps its permission where it cannot be restored',
      wanted,
      { ...image, memory: { restarts: 0, failedStart: { ...failedStart, failures: 9 } } },
      'tell Hibernated (RestoreFailed), again in 299 s',
    ],
    ['Running under another permission is built anew, once that was removed', anew, image, 'DiscardImage'],
    [
      'Running though its Hypervisor was made anew: the memory is the same',
      declared('Running', { instance: 'Hibernated', placement: { hypervisorUID: 'another' } }),
      image,
      'Restore',
    ],
    ['Stopped gives it up', stopped, image, 'DiscardImage'],
    [
      'Stopped tells why that is not possible',
      stopped,
      { ...image, memory: failed('DiscardImage', 1_000) },
      'tell Hibernated (DiscardFailed), again in 4 s',
    ],
    [
      'Stopped has ended once that is gone',
      stopped,
      { domain: domainOff(stopped, 'Saved') },
      'tell Stopped after ForcedByRequest',
    ],
    [
      'Stopped, and given up while its machine could not be asked, is removed',
      declared('Stopped', { instance: 'Hibernated', placement: { abandoned: true } }),
      image,
      'DiscardImage',
    ],
  ];
  for (const [title, machine, snapshot, expected] of table) {
    it(title, () => expect(planned(machine, snapshot)).to.equal(expected));
  }

  it('is removed with its VM', () => {
    const deleted = declared('Hibernated', { instance: 'Hibernated', metadata: { deletionTimestamp: timeAfter(0) } });
    expect(planned(deleted, image)).to.equal('Undefine');
  });

  it('says which epoch it belongs to where that is past', () => {
    const plan = planDomain(domainSnapshot({ live: anew, ...image }));
    const step = plan.kind === 'Act' && plan.step.kind === 'DiscardImage' ? plan.step : undefined;
    expect(step?.warning).to.equal('StaleImage');
    expect(step?.reason).to.match(
      /on hv1 belongs to epoch 1, and it now holds epoch 2: it is removed, and never used\.$/,
    );
  });
});

describe('a guest that is being written to disk and is to stop', () => {
  const saving = (mode: 'Graceful' | 'Force') => {
    const vm = declared('Stopped', { spec: { powerState: 'Stopped', powerOff: { mode, gracePeriodSeconds: 60 } } });
    return planned(vm, { domain: domainOf(vm, { powerState: 'Saving' }) });
  };
  it('is not disturbed, unless by force', () => {
    expect([saving('Graceful'), saving('Force')]).to.deep.equal(['nothing, again in 5 s', 'PullPlug']);
  });
});
