// What must be so once everything works again and has had time.
import { expect } from 'chai';
import { findCondition } from '#crds/conditions.ts';
import { instanceUuid } from '#crds/derive/signed-payload.ts';
import { NOT_OURS } from '#crds/derive/verdict.ts';
import { hypervisorResource } from '#crds/v1alpha1/kinds.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Site } from './site.ts';

/** What a VM says of itself is so, and nobody could do better by himself. */
export function expectTrue(site: Site, vm: VirtualMachine): void {
  const { metadata, spec, status } = vm;
  const ready = findCondition(status?.conditions, 'Ready');
  const words = `${metadata.name}: ${status?.phase} ${ready?.reason}`;
  const runs = site.runningOn(instanceUuid(vm));
  expect(metadata.deletionTimestamp, words).to.equal(undefined);
  expect(status?.granted?.generation, words).to.equal(metadata.generation);
  expect(ready?.reason, words).not.to.equal(NOT_OURS);
  if (spec.powerState === 'Stopped')
    expect([status?.phase, ready?.status, runs], words).to.deep.equal(['Stopped', 'True', []]);
  else if (spec.powerState === 'Hibernated') expectAsleep(site, vm);
  else if (status?.phase === 'Running' || status?.phase === 'Paused') {
    expect(runs, words).to.deep.equal([status.placement?.hypervisor]);
    const { power } = site.host(status.placement?.hypervisor ?? '').machine.get(instanceUuid(vm));
    expect(power.kind, words).to.equal(status.phase);
    if (spec.powerState !== status.phase) expect(ready?.reason, words).to.equal('PausedOnHost');
  } else {
    expect(runs, words).to.deep.equal([]);
    const held = [
      'Missing',
      'StoppedByGuest',
      'Completed',
      'Crashed',
      'Expired',
      'HostRebooted',
      // An orphan has it, of a VM that was deleted while its hypervisor could not be asked.
      'NameTaken',
      'NoRoomToRestore',
      'TooFewCpus',
      'TooLittleMemory',
      'TooFewCpusToReserve',
      'TooLittleMemoryToGuarantee',
      'NoneFits',
    ];
    expect(ready?.reason, words).to.be.oneOf(held);
  }
}

/** Its memory is kept where it ran, or there was nothing to keep, or somebody took it away. */
function expectAsleep(site: Site, vm: VirtualMachine): void {
  const { metadata, status } = vm;
  const reason = findCondition(status?.conditions, 'Ready')?.reason ?? '';
  const words = `${metadata.name}: ${status?.phase} ${reason}`;
  // Whose definition somebody took away: there is no place to keep its memory. It goes on, and says so.
  if (reason === 'HibernateFailed') {
    expect(site.runningOn(instanceUuid(vm)), words).to.deep.equal([status?.placement?.hypervisor]);
    return;
  }
  expect(site.runningOn(instanceUuid(vm)), words).to.deep.equal([]);
  const kept = [...site.hosts.values()].filter(
    (host) => host.machine.guests.find(instanceUuid(vm))?.image !== undefined,
  );
  expect(kept.length, words).to.equal(status?.phase === 'Hibernated' ? 1 : 0);
  expect(reason, words).to.be.oneOf(['Hibernated', 'RestartRequired', 'NothingToHibernate', 'Missing']);
}

/**
 * Every guest of ours is declared, or reported and off: its VM was deleted after it had ended and while nobody could be
 * asked, or let go of it while its memory was kept. Or reported, and perhaps running: its VM was deleted by force.
 */
export async function expectNoOrphan(site: Site, machines: readonly VirtualMachine[]): Promise<void> {
  const declared = new Set(machines.map(instanceUuid));
  for (const [name, host] of site.hosts) {
    const { status } = await site.user.get(hypervisorResource, { name });
    const undeclared = host.machine
      .list()
      .filter(({ uuid, metadata }) => metadata !== undefined && !declared.has(uuid));
    for (const { uuid, powerState } of undeclared) {
      const reported = status?.unmanaged?.find((guest) => guest.uuid === uuid)?.reason;
      expect(reported, `${uuid} on ${name}`).to.equal('Orphaned');
      if (!site.forced.has(uuid)) expect(powerState, `${uuid} on ${name}`).to.equal('ShutOff');
    }
  }
}

/** Ends it: no process had ended by itself, and no promise was ever broken. */
export async function closeUnbroken(site: Site): Promise<void> {
  await site.close();
  expect(site.failures, 'what processes ended of').to.deep.equal([]);
  expect(site.invariants.broken.join('; '), 'promises broken').to.equal('');
}
