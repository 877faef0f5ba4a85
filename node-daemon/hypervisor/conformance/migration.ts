// Guests that move from one hypervisor to another: what both sides show of it, and what is left where it fails.
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { NO_LIMITS } from '#crds/resources.ts';
import { AT_ONCE, Elsewhere } from './elsewhere.ts';
import { isPossible } from './subject.ts';
import { rejected, type Workbench } from './workbench.ts';

export function describeMigration(bench: Workbench): void {
  describe('live migration', () => {
    const { otherSide } = bench.subject;
    if (!bench.has('LiveMigration')) {
      it('is refused as Unsupported', async () => {
        const { uuid } = await bench.started();
        await rejected(bench.driver.migrate(uuid, 'nowhere', AT_ONCE), 'Unsupported');
        await rejected(bench.driver.checkIncoming(bench.definition()), 'Unsupported');
        expect((await bench.present(uuid)).powerState).to.equal('Running');
      });
      return;
    }
    if (!isPossible(otherSide)) throw new Error('a driver that can migrate is tested with two hypervisors');
    const there = new Elsewhere(bench, otherSide);
    before(() => there.open());
    afterEach(() => there.clear());
    after(() => there.close());

    describeArrival(bench, there);
    describeLimitsOnTheWay(bench, there);
    describeJourney(bench, there);
    describeRefusals(bench, there);
    describeIncomingChecks(bench, there);
    describeTakingBack(bench, there);
  });
}

function describeArrival(bench: Workbench, there: Elsewhere): void {
  it('makes the guest run there with all that it bears, and be off here because it was Migrated', async () => {
    const { uuid, metadata, name, memoryBytes } = await there.guest();
    await there.move(uuid);
    expect(await there.stateOf(uuid), 'there').to.equal('Running');
    await bench.off(uuid, 'Migrated');
    const arrived = (await there.driver.list()).find((domain) => domain.uuid === uuid);
    expect(arrived).to.deep.include({ name, memoryBytes, metadata });
  });

  it('leaves it defined there, so that it can be started there again', async () => {
    const { uuid } = await there.guest();
    await there.move(uuid);
    await there.driver.destroy(uuid);
    expect(await there.stateOf(uuid)).to.equal('ShutOff');
    await there.driver.start(uuid);
    expect(await there.stateOf(uuid)).to.equal('Running');
  });

  it('can bring it back, over what it had left behind', async () => {
    const { uuid } = await there.guest();
    await there.move(uuid);
    await there.settled(there.driver.migrate(uuid, there.side.back, AT_ONCE));
    expect((await bench.present(uuid)).powerState).to.equal('Running');
    expect(await there.stateOf(uuid)).to.equal('ShutOff');
  });
}

function describeLimitsOnTheWay(bench: Workbench, there: Elsewhere): void {
  if (!bench.has('CpuGuarantees')) return;
  it('takes along how CPU time is shared out for the guest, as it was changed while it ran', async () => {
    const { uuid } = await there.guest({ limits: { cpuShares: 2048, cpuLimitMillis: 900 } });
    const limits = { cpuShares: 512, cpuLimitMillis: 800 };
    await bench.driver.setLimits(uuid, limits);
    await there.move(uuid);
    expect(await there.driver.limits(uuid)).to.deep.equal(limits);
    await there.driver.setLimits(uuid, NO_LIMITS);
    expect(await there.driver.limits(uuid), 'taken away there').to.deep.equal(NO_LIMITS);
  });
}

function describeJourney(bench: Workbench, there: Elsewhere): void {
  it('shows the guest Running here and Incoming there, with its metadata, while its memory is on its way', async () => {
    const { definition, outcome } = await there.departed();
    const { uuid, metadata } = definition;
    expect((await bench.present(uuid)).powerState, 'here').to.equal('Running');
    const coming = (await there.driver.list()).find((domain) => domain.uuid === uuid);
    expect(coming).to.deep.include({ powerState: 'Incoming', metadata });
    await bench.driver.abortMigration(uuid);
    await there.settled(outcome);
  });

  it('tells how far it is, and more of it later', async () => {
    const { definition, outcome } = await there.departed();
    const before = await bench.driver.migrationProgress(definition.uuid);
    await bench.eventually('more has been sent', async () => {
      const now = await bench.driver.migrationProgress(definition.uuid);
      return now !== undefined && now.processedBytes > (before?.processedBytes ?? 0) ? true : undefined;
    });
    expect(before?.totalBytes).to.be.at.least(before?.processedBytes ?? 0);
    await bench.driver.abortMigration(definition.uuid);
    await there.settled(outcome);
  });

  it('can be aborted: the guest runs on here', async () => {
    const { definition, outcome } = await there.departed();
    await bench.driver.abortMigration(definition.uuid);
    await there.expectStayed(definition.uuid, outcome);
    await there.move(definition.uuid);
    expect(await there.stateOf(definition.uuid), 'at a second try').to.equal('Running');
  });

  it('goes on without the driver that asked for it', async () => {
    const { definition, outcome } = await there.departed();
    await bench.reopen();
    const { uuid } = definition;
    expect(await bench.driver.migrationProgress(uuid), 'as the next driver sees it').not.to.equal(undefined);
    expect(await there.stateOf(uuid)).to.equal('Incoming');
    await bench.driver.abortMigration(uuid);
    await bench.eventually('it was given up', async () =>
      (await bench.driver.migrationProgress(uuid)) === undefined ? true : undefined,
    );
    await there.settled(outcome);
    await there.expectHere(uuid);
  });

  it('is given up when it takes too long: the guest runs on here', async () => {
    const { uuid } = await there.guest();
    const impatient = { ...there.side.slowly, timeoutMs: 2_000 };
    const error = await there.expectStayed(uuid, bench.driver.migrate(uuid, there.side.address, impatient));
    expect(error.message).to.include('2 s');
  });

  it('fails where what comes in is destroyed there: the guest runs on here', async () => {
    const { definition, outcome } = await there.departed();
    await there.driver.destroy(definition.uuid);
    await there.expectStayed(definition.uuid, outcome);
  });
}

function describeRefusals(bench: Workbench, there: Elsewhere): void {
  it('is refused as NotFound where the guest is absent', async () => {
    await rejected(bench.driver.migrate(randomUUID(), there.side.address, AT_ONCE), 'NotFound');
  });

  it('is refused as Busy where the guest is off', async () => {
    const { uuid } = await bench.defined();
    await rejected(bench.driver.migrate(uuid, there.side.address, AT_ONCE), 'Busy');
  });

  it('is refused as Busy where the guest is on its way already, which goes on', async () => {
    const { definition, outcome } = await there.departed();
    await rejected(bench.driver.migrate(definition.uuid, there.side.address, AT_ONCE), 'Busy');
    expect(await bench.driver.migrationProgress(definition.uuid)).not.to.equal(undefined);
    await bench.driver.abortMigration(definition.uuid);
    await there.settled(outcome);
  });

  it('is refused as Invalid where nobody could be reached under the address', async () => {
    const { uuid } = await there.guest();
    await rejected(bench.driver.migrate(uuid, 'file:///etc/passwd', AT_ONCE), 'Invalid');
    await there.expectHere(uuid);
  });

  it('fails where nobody answers there: the guest runs on here', async () => {
    const { uuid } = await there.guest();
    await there.expectStayed(uuid, bench.driver.migrate(uuid, there.side.nobody, AT_ONCE));
  });

  it('fails where a guest of that uuid runs there, and neither is touched', async () => {
    const definition = await there.guest();
    await there.driver.define(definition);
    await there.driver.start(definition.uuid);
    const error = await rejected(bench.driver.migrate(definition.uuid, there.side.address, AT_ONCE), 'Failed');
    expect(error.message).not.to.equal('');
    expect((await bench.present(definition.uuid)).powerState, 'here').to.equal('Running');
    expect(await there.stateOf(definition.uuid), 'there').to.equal('Running');
  });
}

function describeIncomingChecks(bench: Workbench, there: Elsewhere): void {
  const { missingBoot, network } = bench.subject.guest;
  it('is foreseen to be possible where all is there that the guest needs, and changes nothing', async () => {
    const definition = bench.definition();
    await there.driver.checkIncoming(definition);
    expect(await there.stateOf(definition.uuid)).to.equal('Absent');
  });

  it('is foreseen to fail as Conflict where the guest runs there, or another of its name', async () => {
    const definition = await there.guest();
    await rejected(bench.driver.checkIncoming(definition), 'Conflict');
    await rejected(bench.driver.checkIncoming(bench.definition({ name: definition.name })), 'Conflict');
  });

  if (isPossible(missingBoot)) {
    it('is foreseen to fail as Invalid where what it boots from is not there', async () => {
      await rejected(there.driver.checkIncoming(bench.definition({ boot: missingBoot })), 'Invalid');
    });
  }
  if (network !== undefined && there.side.knowsNetworks) {
    it('is foreseen to fail as Invalid where its network or its disk is not there', async () => {
      const card = { name: 'eth0', network: 'nowhere', macAddress: '52:54:00:00:00:01' };
      const disk = { name: 'root', pool: 'nowhere', volume: 'root', format: 'raw', readOnly: false } as const;
      const noNetwork = await rejected(there.driver.checkIncoming(bench.definition({ interfaces: [card] })), 'Invalid');
      expect(noNetwork.message).to.match(/^interfaces\[0\]\.network: /);
      const noDisk = await rejected(there.driver.checkIncoming(bench.definition({ disks: [disk] })), 'Invalid');
      expect(noDisk.message).to.match(/^disks\[0\]: /);
    });
  }
}

function describeTakingBack(bench: Workbench, there: Elsewhere): void {
  describe('takeBack', () => {
    it('is quiet where the guest runs, and refused where it is off, absent or coming in', async () => {
      const { definition, outcome } = await there.departed();
      await bench.driver.takeBack(definition.uuid);
      await rejected(there.driver.takeBack(definition.uuid), 'Busy');
      await rejected(bench.driver.takeBack((await bench.defined()).uuid), 'Busy');
      await rejected(bench.driver.takeBack(randomUUID()), 'NotFound');
      await bench.driver.abortMigration(definition.uuid);
      await there.settled(outcome);
    });

    const { strand } = there.side;
    if (!isPossible(strand)) {
      it(`cannot be shown a guest that stands still here: ${strand.cannot}`, () => {
        expect(strand.cannot, 'the reason').not.to.equal('');
      });
      return;
    }
    it('lets a guest run on here that stands still, because both managements died at the end of its way', async () => {
      const { definition, outcome } = await there.departed();
      const { uuid } = definition;
      await strand(uuid);
      await there.settled(outcome);
      await bench.eventually('it stands still here', async () =>
        (await bench.present(uuid).catch(() => undefined))?.powerState === 'Outgoing' ? true : undefined,
      );
      await bench.eventually('it is gone there', async () =>
        (await there.stateOf(uuid).catch(() => undefined)) === 'Absent' ? true : undefined,
      );
      await bench.driver.start(uuid);
      await rejected(bench.driver.pause(uuid), 'Busy');
      await rejected(bench.driver.resume(uuid), 'Busy');
      await rejected(bench.driver.hibernate(uuid), 'Busy');
      expect((await bench.present(uuid)).powerState, 'whatever else is asked of it').to.equal('Outgoing');
      await bench.driver.takeBack(uuid);
      await there.expectHere(uuid);
    });
  });
}
