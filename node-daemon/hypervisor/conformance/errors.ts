// Every way to fail, and that it comes in time.
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { BootSource, DomainDefinition, HypervisorDriver } from '../driver.ts';
import type { DriverErrorReason } from '../errors.ts';
import { isPossible, type Possible, type Restore } from './subject.ts';
import { definitionFor, metadataFor, rejected, type Workbench } from './workbench.ts';

export function describeErrors(bench: Workbench): void {
  describe('errors', () => {
    describeInvalid(bench);
    describeRefusedStart(bench, 'NoRoom', bench.subject.guest.tooLarge);
    describeRefusedStart(bench, 'Failed', bench.subject.guest.unstartable);

    it('NotFound: addresses of a domain that is absent', async () => {
      const lacking = bench.has('Addresses') ? [] : (['Unsupported'] as const);
      await rejected(bench.driver.addresses(randomUUID()), 'NotFound', ...lacking);
    });

    it('Unreachable: every verb of a driver that was closed', async () => {
      const closed = await bench.subject.make();
      await closed.close();
      await Promise.all(everyVerb(bench, closed).map((call) => rejected(call, 'Unreachable')));
    });

    describeUnreachable(bench);
    describeHang(bench);
  });
}

function describeInvalid(bench: Workbench): void {
  const invalid = {
    'a uuid that is none': { uuid: 'not-a-uuid' },
    'no name': { name: '' },
    'no processor': { cpus: 0 },
    'no memory': { memoryBytes: 0 },
    'a boot file outside the boot directory': {
      boot: { kind: 'Kernel', image: '../../etc/passwd' } satisfies BootSource,
    },
    'a boot file by its path': { boot: { kind: 'Kernel', image: '/etc/passwd' } satisfies BootSource },
    'a boot disk it does not have': { boot: { kind: 'Disk', disk: 'missing' } satisfies BootSource },
    'a boot interface it does not have': { boot: { kind: 'Network', interface: 'missing' } satisfies BootSource },
  };
  for (const [what, changes] of Object.entries(invalid)) {
    it(`Invalid: a definition with ${what}`, async () => {
      // Not one of the bench's: what is refused needs no removal, and a uuid that is none cannot be asked for.
      await rejected(bench.driver.define({ ...definitionFor(bench.subject), ...changes }), 'Invalid');
    });
  }
  const { missingBoot } = bench.subject.guest;
  if (isPossible(missingBoot)) {
    it('Invalid: a definition that boots from what is not there, which leaves nothing behind', async () => {
      const definition = bench.definition({ boot: missingBoot });
      await rejected(bench.driver.define(definition), 'Invalid');
      expect(await bench.driver.observe(definition.uuid)).to.deep.equal({ kind: 'Absent' });
    });
  } else {
    it(`cannot be shown a missing boot file here: ${missingBoot.cannot}`, () => {
      expect(missingBoot.cannot).not.to.equal('');
    });
  }
}

function describeRefusedStart(
  bench: Workbench,
  reason: DriverErrorReason,
  changes: Possible<Partial<DomainDefinition>>,
): void {
  if (!isPossible(changes)) {
    it(`cannot be shown ${reason} here: ${changes.cannot}`, () => {
      expect(changes.cannot).not.to.equal('');
    });
    return;
  }
  it(`${reason}: the start of a domain, which stays known and off`, async () => {
    const { uuid } = await bench.defined(changes);
    await rejected(bench.driver.start(uuid), reason);
    await bench.off(uuid, 'Failed', 'NeverStarted', 'Unknown');
  });
}

function describeUnreachable(bench: Workbench): void {
  const { makeUnreachable } = bench.subject.control;
  if (!isPossible(makeUnreachable)) {
    return; // features.ts tells why
  }
  it('Unreachable: every verb while the hypervisor is gone, and it works again after', async () => {
    const { uuid } = await bench.started();
    await whileBroken(makeUnreachable, async () => {
      await everyVerbFailsInTime(bench);
    });
    await answersAgain(bench, uuid);
  });
}

function describeHang(bench: Workbench): void {
  const { hang } = bench.subject.control;
  if (!isPossible(hang)) {
    return; // features.ts tells why
  }
  it('Timeout: every verb within its deadline while the hypervisor hangs, and it works again after', async () => {
    const { uuid } = await bench.started();
    await whileBroken(hang, async () => {
      await everyVerbFailsInTime(bench);
    });
    await answersAgain(bench, uuid);
  });
}

async function whileBroken(breakIt: () => Promise<Restore>, look: () => Promise<void>): Promise<void> {
  const restore = await breakIt();
  try {
    await look();
  } finally {
    await restore();
  }
}

async function answersAgain(bench: Workbench, uuid: string): Promise<void> {
  await bench.eventually('the driver answers again', () =>
    bench.driver.list().then(
      () => true,
      () => undefined,
    ),
  );
  expect((await bench.present(uuid)).powerState, 'the guest that ran all the time').to.equal('Running');
}

/** One call of each verb, about domains that do not exist, so that none of them can do harm. */
function everyVerb(bench: Workbench, driver: HypervisorDriver): Promise<unknown>[] {
  const uuid = randomUUID();
  return [
    driver.list(),
    driver.observe(uuid),
    driver.inspect(uuid),
    driver.define(bench.definition()),
    driver.setMetadata(uuid, metadataFor(uuid)),
    driver.start(uuid),
    driver.pause(uuid),
    driver.resume(uuid),
    driver.hibernate(uuid),
    driver.discardImage(uuid),
    driver.shutdown(uuid),
    driver.reboot(uuid),
    driver.destroy(uuid),
    driver.undefine(uuid),
    driver.migrationProgress(uuid),
    driver.abortMigration(uuid),
    driver.takeBack(uuid),
    driver.usage(),
  ];
}

async function everyVerbFailsInTime(bench: Workbench): Promise<void> {
  const { verbMilliseconds } = bench.subject.timeouts;
  const late = bench.pause(verbMilliseconds).then(() => {
    throw new Error(`a verb had not answered within ${verbMilliseconds} ms`);
  });
  const failures = everyVerb(bench, bench.driver).map((call) => rejected(call, 'Timeout', 'Unreachable'));
  await Promise.race([Promise.all(failures), late]);
}
