import { expect } from 'chai';
import type { InstanceState, LastTermination } from '#crds/v1alpha1/virtual-machine-status.ts';
import type { EventInitiator, ShutOffReason } from '#node-daemon/hypervisor/driver.ts';
import { domainOff, domainSnapshot } from '#test/builders/domain.ts';
import { uuidFor } from '#test/builders/uuid.ts';
import { runningMachine } from '#test/builders/virtual-machine.ts';
import { nothingRemembered, rememberAsked, rememberForced, rememberForceFailed } from './memory.ts';
import { requestedTermination, terminationOf } from './termination.ts';

const vm = runningMachine();

function facts(seen: ShutOffReason | 'Absent', initiator: EventInitiator = 'Unknown', bootOf = 'boot of hv1') {
  const snapshot = domainSnapshot({ initiator, ...(seen === 'Absent' ? {} : { domain: domainOff(vm, seen) }) });
  const instance = vm.status?.instance === undefined ? undefined : { ...vm.status.instance, bootID: uuidFor(bootOf) };
  return { ...snapshot, instance };
}

type Given = ReturnType<typeof facts>;

function withImage(given: Given): Given {
  const { domain } = given;
  if (domain.kind !== 'Present') throw new TypeError('what is absent has no image');
  return { ...given, domain: { kind: 'Present', domain: { ...domain.domain, hasImage: true } } };
}

function hibernated(given: Given): Given {
  return { ...given, instance: given.instance && { ...given.instance, powerState: 'Hibernated' } };
}

describe('why a guest ended that was not to', () => {
  const table: [
    string,
    Parameters<typeof terminationOf>[0],
    LastTermination['reason'],
    LastTermination['initiator'],
    RegExp,
  ][] = [
    ['it shut itself down', facts('Shutdown'), 'StoppedByGuest', 'Guest', /powered itself off/],
    ['it shut itself down, as the call-back says', facts('Shutdown', 'Guest'), 'StoppedByGuest', 'Guest', /powered/],
    [
      'its process was ended by a signal',
      facts('Shutdown', 'Host'),
      'DestroyedOnHost',
      'Host',
      /signal on hv1; Usher did not send it/,
    ],
    ['it crashed', facts('Crashed'), 'Crashed', 'Unknown', /crashed: its process on hv1/],
    ['its process failed', facts('Failed'), 'Crashed', 'Unknown', /ended unexpectedly/],
    ['somebody destroyed it', facts('Destroyed'), 'DestroyedOnHost', 'Host', /virsh destroy/],
    ['somebody saved it', withImage(facts('Saved')), 'DestroyedOnHost', 'Host', /Somebody saved/],
    ['it was saved, and that is gone', facts('Saved'), 'SavedImageGone', 'Host', /is not there any more/],
    [
      'it was hibernated, and not even its domain is there',
      hibernated(facts('Absent')),
      'SavedImageGone',
      'Host',
      /memory/,
    ],
    [
      'it was hibernated, and the hypervisor forgot why',
      hibernated(facts('Unknown')),
      'SavedImageGone',
      'Host',
      /memory/,
    ],
    [
      'it was hibernated, and the machine has rebooted since',
      hibernated(facts('Unknown', 'Unknown', 'before')),
      'SavedImageGone',
      'Host',
      /memory/,
    ],
    ['it was hibernated, and has run since', hibernated(facts('Crashed')), 'Crashed', 'Unknown', /crashed/],
    ['somebody migrated it', facts('Migrated'), 'MovedAway', 'Host', /moved the guest from hv1 to another hypervisor/],
    [
      'it ended while Usher moved it',
      { ...facts('Migrated'), wasLostOnItsWay: true },
      'Vanished',
      'Host',
      /ended on its way/,
    ],
    ['the hypervisor forgot', facts('Unknown'), 'Unknown', 'Unknown', /nobody watched/],
    ['it was defined anew', facts('NeverStarted'), 'Unknown', 'Unknown', /cause is not known/],
    ['it is not even defined any more', facts('Absent'), 'Vanished', 'Host', /not even defined/],
    ['the machine rebooted', facts('Unknown', 'Unknown', 'before'), 'HostRebooted', 'Host', /hv1 rebooted/],
    [
      'somebody destroyed it, though the machine had rebooted before',
      facts('Destroyed', 'Unknown', 'before'),
      'DestroyedOnHost',
      'Host',
      /virsh destroy/,
    ],
    [
      'the machine rebooted and does not know it, and so may be another one',
      facts('Absent', 'Unknown', 'before'),
      'Vanished',
      'Host',
      /if this is another machine of that name, the guest may still be running/,
    ],
  ];
  for (const [title, given, reason, initiator, words] of table) {
    it(`is told when ${title}`, () => {
      const termination = terminationOf(given);
      expect(termination).to.include({ reason, initiator });
      expect(termination.message).to.match(words).and.match(/\.$/);
    });
  }
});

describe('how a guest ended that was to stop', () => {
  const off = facts('Shutdown');
  const asked = rememberAsked(nothingRemembered, 1);
  const forced = rememberForced(nothingRemembered, 1);
  const failed = rememberForceFailed(nothingRemembered, 1, 'it is locked');
  const after = (state: InstanceState, given = off) => ({
    ...given,
    instance: given.instance && { ...given.instance, powerState: state },
  });

  const table: [string, Parameters<typeof requestedTermination>[0], LastTermination['reason'] | undefined][] = [
    ['obeyed when it was asked', { ...off, memory: asked }, 'StoppedByRequest'],
    ['was forced when the plug was pulled', { ...facts('Destroyed'), memory: forced }, 'ForcedByRequest'],
    [
      'was forced when the plug was pulled and it was removed since',
      { ...facts('Absent'), memory: forced },
      'ForcedByRequest',
    ],
    ['obeyed after all when the plug could not be pulled', { ...off, memory: failed }, 'StoppedByRequest'],
    [
      'was forced when the plug could not be pulled, as it seemed',
      { ...facts('Destroyed'), memory: failed },
      'ForcedByRequest',
    ],
    ['crashed, though it was asked', { ...facts('Crashed'), memory: asked }, 'Crashed'],
    ['crashed, though its plug was being pulled', { ...facts('Crashed'), memory: forced }, 'Crashed'],
    ['was destroyed by somebody else while it was asked', { ...facts('Destroyed'), memory: asked }, 'DestroyedOnHost'],
    ['obeyed an earlier daemon', off, 'StoppedByRequest'],
    ['obeyed an earlier daemon while it was stopping', after('Stopping'), 'StoppedByRequest'],
    ['was forced by an earlier daemon', facts('Destroyed'), 'ForcedByRequest'],
    ['obeyed an earlier daemon, and was removed by it', facts('Absent'), 'StoppedByRequest'],
    ['crashed before it was asked', facts('Crashed'), 'Crashed'],
    ['went down with its machine before it was asked', facts('Unknown', 'Unknown', 'before'), 'HostRebooted'],
    ['vanished, where the machine may be another one', facts('Absent', 'Unknown', 'before'), 'Vanished'],
    ['keeps what was told when it had ended before', after('Crashed'), undefined],
    ['keeps what was told when it was missing', after('Missing'), undefined],
    ['has nothing to tell when it never ran', { ...off, instance: undefined }, undefined],
  ];
  for (const [title, given, reason] of table) {
    it(title, () => expect(requestedTermination(given)?.reason).to.equal(reason));
  }
});
