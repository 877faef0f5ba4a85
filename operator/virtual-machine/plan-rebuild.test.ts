import { expect } from 'chai';
import { INSTANCE_UUID_ANNOTATION } from '#crds/v1alpha1/names.ts';
import { claimOn } from '#test/builders/claim.ts';
import { candidate } from '#test/builders/hypervisor.ts';
import { movingMachine } from '#test/builders/migration.ts';
import { actionsText, operatorSnapshot } from '#test/builders/operator-snapshot.ts';
import { timeAfter } from '#test/builders/time.ts';
import { uuidFor } from '#test/builders/uuid.ts';
import { type MachineChanges, newMachine, placedMachine, runningMachine } from '#test/builders/virtual-machine.ts';
import { planVirtualMachine } from './plan.ts';
import type { Snapshot } from './snapshot.ts';

const before = newMachine();
const { uid: uuid } = before.metadata;
const RECREATING = { phase: 'Recreating' } as const;
const WAITING = { phase: 'Waiting' } as const;

/** Written anew, for the guest of the one before. */
const anew = (changes: MachineChanges = {}) =>
  newMachine({
    ...changes,
    metadata: { uid: uuidFor('anew'), annotations: { [INSTANCE_UUID_ANNOTATION]: uuid }, ...changes.metadata },
  });
const declaredAgain = newMachine({ metadata: { uid: uuidFor('again') } });

function planned(vm: Snapshot['vm'], changes: Partial<Snapshot>): string {
  const all = [candidate(), candidate({ name: 'hv2' })];
  return actionsText(planVirtualMachine(operatorSnapshot(vm, all, changes)).actions);
}

describe('a VM whose guest is there already', () => {
  const claim = claimOn('hv2', before, { epoch: 3 });
  const table: [string, Snapshot['vm'], Partial<Snapshot>, string][] = [
    [
      'takes it where it was written anew for it',
      anew(),
      { claim, hold: RECREATING },
      'Grant Running, Recover hv2 (3)',
    ],
    [
      'takes it when the hold is over, too',
      anew(),
      { claim, hold: { phase: 'Over' } },
      'Grant Running, Recover hv2 (3)',
    ],
    ['takes nothing before all have reported', anew(), { claim, hold: WAITING }, 'CannotPlace GuestNotReported'],
    ['is placed nowhere while nobody reports its guest', anew(), { claim: undefined }, 'CannotPlace GuestNotReported'],
    ['is tied to it where it was declared again', declaredAgain, { claim, hold: RECREATING }, `Bind ${uuid}`],
    [
      'is tied to it where the one that it was given to has given it back',
      placedMachine({ metadata: declaredAgain.metadata, instance: 'Refused' }),
      { claim, hold: RECREATING },
      `Bind ${uuid}`,
    ],
    [
      'is not tied to it where it has run itself',
      runningMachine({ metadata: declaredAgain.metadata }),
      { claim, hold: RECREATING },
      'Reachable',
    ],
    [
      'is not tied to it where no control plane was lost: somebody let that one go',
      declaredAgain,
      { claim },
      'Grant Running, Place hv1 (1)',
    ],
    [
      'takes it where it is older than its guest',
      runningMachine(),
      { claim, hold: RECREATING },
      'Grant Running, Recover hv2 (3)',
    ],
    [
      'does not take one that is as old as itself',
      runningMachine({ placement: { epoch: 3 } }),
      { claim, hold: RECREATING },
      'Reachable',
    ],
    [
      'does not take one that is on its way to where it is reported: the migration ends that',
      movingMachine(),
      { claim: claimOn('hv2', before, { epoch: 2 }), hold: RECREATING },
      'Reachable',
    ],
    [
      'takes one that has moved on since its backup, though that knows of an earlier migration there',
      movingMachine(),
      { claim, hold: RECREATING },
      'Grant Running, Recover hv2 (3)',
    ],
    [
      'takes it under a new permission where it had given the one before back',
      placedMachine({ metadata: anew().metadata, placement: { epoch: 5 }, instance: 'Refused' }),
      { claim, hold: RECREATING },
      'Grant Running, Recover hv2 (6)',
    ],
    [
      'takes nothing while it is deleted',
      anew({ metadata: { deletionTimestamp: timeAfter(0) } }),
      { claim },
      'Finalize',
    ],
    [
      'waits until the hypervisor is known that has it',
      anew(),
      { claim: claimOn('hv9', before), hold: RECREATING },
      'nothing',
    ],
  ];
  for (const [title, vm, changes, expected] of table) {
    it(title, () => expect(planned(vm, changes)).to.equal(expected));
  }

  it('is declared as it was declared last, where a backup has taken it back', () => {
    const later = newMachine({ metadata: { generation: 4 }, spec: { restartPolicy: 'Always' } });
    const restored = runningMachine({ spec: { powerState: 'Stopped' } });
    const newer = claimOn('hv1', later, { epoch: 2 });
    const { actions } = planVirtualMachine(
      operatorSnapshot(restored, [candidate()], { claim: newer, hold: RECREATING }),
    );
    expect(actions).to.have.length(1);
    expect(actions[0]).to.deep.include({ kind: 'RestoreSpec', spec: newer.machine.spec });
  });

  it('is granted what it has, and grows like any other', () => {
    const bigger = anew({ spec: { resources: { cpus: 4, memory: '4Gi' } } });
    const snapshot = operatorSnapshot(bigger, [candidate({ name: 'hv2' })], { claim, hold: RECREATING });
    const [grant] = planVirtualMachine(snapshot).actions;
    expect(grant).to.have.nested.property('granted.resources.cpus', 1);
    expect(grant).to.include({ verdict: 'Modify' });
  });
});

describe('while the site is on hold', () => {
  it('no VM is placed, and each says so', () => {
    for (const hold of [WAITING, RECREATING]) {
      expect(planned(newMachine(), { hold })).to.equal('Grant Running, CannotPlace SiteOnHold');
    }
    expect(planned(newMachine(), { hold: { phase: 'Over' } })).to.equal('Grant Running, Place hv1 (1)');
  });
});
