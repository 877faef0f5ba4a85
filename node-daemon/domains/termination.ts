// How a guest came to its end, from what the hypervisor remembers of it.
import { isUpState } from '#crds/derive/instance-state.ts';
import type { Instance, LastTermination } from '#crds/v1alpha1/virtual-machine-status.ts';
import type { Domain, ShutOffReason } from '../hypervisor/driver.ts';
import type { StopInProgress } from './memory.ts';
import type { Snapshot } from './snapshot.ts';

export type Termination = Omit<LastTermination, 'time'>;

interface Facts extends Pick<Snapshot, 'self' | 'domain' | 'memory' | 'initiator'> {
  readonly instance: Instance | undefined;
  /** It was moved by Usher, and has ended on the way. */
  readonly wasLostOnItsWay?: boolean;
}

/**
 * Why the guest is not running although it was started and was not to stop. `Vanished` is a domain that is not even
 * defined any more; after a restart of libvirt a reason may be lost, and `Unknown` says so instead of guessing.
 */
export function terminationOf(facts: Facts): Termination {
  const { domain, self } = facts;
  if (isImageGone(facts)) return told('SavedImageGone', 'Host', imageGone(self.name));
  if (domain.kind !== 'Present') return told('Vanished', 'Host', vanished(facts));
  if (isOfAnotherBoot(facts) && isForgotten(domain.domain)) {
    return told('HostRebooted', 'Host', `${self.name} rebooted while the guest was running.`);
  }
  return byShutOffReason(domain.domain, facts);
}

/** It was hibernated, and nothing shows that it has run since. */
function isImageGone({ domain, instance }: Facts): boolean {
  const seen = domain.kind === 'Present' ? domain.domain : undefined;
  if (seen?.hasImage === true) return false;
  if (seen?.shutOffReason === 'Saved') return true;
  return instance?.powerState === 'Hibernated' && (seen === undefined || isForgotten(seen));
}

function imageGone(name: string): string {
  return `What was kept of the guest's memory on ${name} is not there any more, and Usher did not remove it.`;
}

/** A machine knows its guests after a reboot: one that does not may be another machine, which was given the same name. */
function vanished(facts: Facts): string {
  const { name } = facts.self;
  if (!isOfAnotherBoot(facts))
    return `The guest vanished from ${name}: it is not even defined there any more, and Usher did not remove it.`;
  return (
    `The guest ran in another boot of ${name} and is not defined there now: if this is another machine of that name, ` +
    'the guest may still be running on the former one.'
  );
}

/**
 * Whether what is seen may be the end that was told: hypervisors forget why a guest ended, a machine boots only once, and
 * who sent a signal is not told twice. Another end may have come while no daemon was there to see it.
 */
export function mayBeTheSame(
  before: Termination,
  seen: Termination | undefined,
  { domain, initiator }: Facts,
): boolean {
  if (seen === undefined || seen.reason === before.reason) return true;
  if (domain.kind !== 'Present' || isForgotten(domain.domain)) return true;
  return before.reason === 'DestroyedOnHost' && domain.domain.shutOffReason === 'Shutdown' && initiator === 'Unknown';
}

/** A start that failed leaves Failed behind in place of what was there; a reboot leaves nothing. */
function isForgotten({ shutOffReason }: Domain): boolean {
  return shutOffReason === undefined || forgetful.has(shutOffReason);
}

const forgetful: ReadonlySet<ShutOffReason> = new Set(['Unknown', 'NeverStarted', 'Failed']);

function isOfAnotherBoot({ self, instance }: Facts): boolean {
  return instance !== undefined && instance.bootID !== self.bootID;
}

function byShutOffReason(domain: Domain, { self, initiator, wasLostOnItsWay }: Facts): Termination {
  switch (domain.shutOffReason) {
    case 'Shutdown':
      return initiator === 'Host'
        ? told(
            'DestroyedOnHost',
            'Host',
            `The process of the guest was ended by a signal on ${self.name}; Usher did not send it.`,
          )
        : told('StoppedByGuest', 'Guest', 'The guest powered itself off.');
    case 'Crashed':
    case 'Failed':
      return told('Crashed', 'Unknown', `The guest crashed: its process on ${self.name} ended unexpectedly.`);
    case 'Destroyed':
      return told(
        'DestroyedOnHost',
        'Host',
        `Somebody destroyed the guest on ${self.name} (as virsh destroy does); Usher did not do it.`,
      );
    case 'Migrated':
      return wasLostOnItsWay === true ? told('Vanished', 'Host', 'The guest ended on its way.') : movedAway(self.name);
    case 'Saved':
      return told('DestroyedOnHost', 'Host', `Somebody saved the guest on ${self.name}; Usher did not do it.`);
    default:
      return told(
        'Unknown',
        'Unknown',
        `The guest ended on ${self.name} while nobody watched, so the cause is not known.`,
      );
  }
}

function movedAway(name: string): Termination {
  const message = `Somebody moved the guest from ${name} to another hypervisor, where it may run on; Usher did not do it.`;
  return told('MovedAway', 'Host', message);
}

/** How a guest ended that was to stop. Undefined where it had ended before it was asked: what was told then stays. */
export function requestedTermination(facts: Facts): Termination | undefined {
  const { memory, instance } = facts;
  if (memory.stop !== undefined) return endOfStop(memory.stop, facts);
  if (instance?.powerState === 'Hibernated') return discarded();
  if (!isUpState(instance?.powerState)) return undefined;
  const seen = terminationOf(facts);
  const wentWithTheMachine = seen.reason === 'HostRebooted' || (seen.reason === 'Vanished' && isOfAnotherBoot(facts));
  return wentWithTheMachine ? seen : withoutMemory(seen);
}

/** A crash is no obedience, and who was only asked was switched off by somebody else. */
function endOfStop({ by }: StopInProgress, facts: Facts): Termination {
  const seen = terminationOf(facts);
  if (seen.reason === 'Crashed') return seen;
  switch (by.kind) {
    case 'Request':
      return wasDoneOnHost(seen) ? seen : obeyed();
    case 'Force':
      return forced();
    case 'ForceFailed':
      return withoutMemory(seen);
  }
}

function wasDoneOnHost({ reason }: Termination): boolean {
  return reason === 'DestroyedOnHost' || reason === 'MovedAway';
}

/** The request may have been made by a daemon that has been restarted since: what the hypervisor shows must do. */
function withoutMemory(seen: Termination): Termination {
  if (seen.reason === 'Crashed' || seen.reason === 'MovedAway') return seen;
  return seen.reason === 'DestroyedOnHost' ? forced() : obeyed();
}

function obeyed(): Termination {
  return told('StoppedByRequest', 'User', 'The guest shut down as asked.');
}

function discarded(): Termination {
  return told('ForcedByRequest', 'User', 'What was kept of its memory was removed, as spec.powerState asks.');
}

function forced(): Termination {
  return told('ForcedByRequest', 'User', 'The guest was switched off by force, as spec.powerOff asks.');
}

function told(reason: Termination['reason'], initiator: Termination['initiator'], message: string): Termination {
  return { reason, initiator, message };
}
