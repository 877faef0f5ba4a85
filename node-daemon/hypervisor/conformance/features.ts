// What a driver declares it can do, it does; what it does not declare, it refuses. Nothing is skipped in silence.
import { expect } from 'chai';
import type { Feature, ObservedAddress, UsageCounters } from '../driver.ts';
import { type DriverControl, isPossible } from './subject.ts';
import { rejected, type Workbench } from './workbench.ts';

const usageFields = {
  CpuUsage: ['cpuNanoseconds'],
  MemoryUsage: ['memoryBytes'],
  NetworkUsage: ['networkReceiveBytes', 'networkTransmitBytes'],
  DiskUsage: ['diskReadBytes', 'diskWriteBytes'],
} satisfies Partial<Record<Feature, (keyof UsageCounters)[]>>;

export function describeFeatures(bench: Workbench): void {
  describe('capabilities', () => {
    it('declares exactly the features that its test expects', async () => {
      const { type, version, features } = await bench.driver.capabilities();
      expect([...features].sort()).to.deep.equal([...bench.subject.features].sort());
      expect(type).to.match(/^[a-z]+$/);
      expect(version).not.to.equal('');
    });

    it('describes a machine with processors and memory', async () => {
      const node = await bench.driver.node();
      expect(node.cpus).to.be.greaterThan(0);
      expect(node.memoryBytes).to.be.greaterThan(0);
      expect(node.freeMemoryBytes).to.be.within(0, node.memoryBytes);
      expect(node.architecture).not.to.equal('');
    });

    describeGracefulShutdown(bench);
    describeAddresses(bench);
    describeWatchFeature(bench);
    describeUsageFeatures(bench);
    describeImpossible(bench);
  });
}

function describeGracefulShutdown(bench: Workbench): void {
  if (bench.has('GracefulShutdown')) {
    return; // lifecycle.ts shows it
  }
  it('refuses shutdown of a running guest as Unsupported and leaves it running', async () => {
    const { uuid } = await bench.started();
    await rejected(bench.driver.shutdown(uuid), 'Unsupported');
    expect((await bench.present(uuid)).powerState).to.equal('Running');
  });
}

function describeAddresses(bench: Workbench): void {
  if (!bench.has('Addresses')) {
    it('refuses addresses as Unsupported', async () => {
      const { uuid } = await bench.started();
      await rejected(bench.driver.addresses(uuid), 'Unsupported');
    });
    return;
  }
  it('reports no address of a guest that is off and has never run', async () => {
    const { uuid } = await bench.defined();
    expect(await bench.driver.addresses(uuid)).to.deep.equal([]);
  });
  it('reports addresses of a running guest with the hardware address they belong to', async () => {
    const { uuid, interfaces } = await bench.started();
    const addresses = bench.subject.guest.obtainsAddress
      ? await bench.eventually('an address', () => addressesOf(bench, uuid))
      : await bench.driver.addresses(uuid);
    for (const address of addresses) {
      expect(address.ip).to.match(/^[0-9a-f.:]+$/i);
      expect(address.macAddress).to.be.oneOf(interfaces.map((entry) => entry.macAddress));
    }
  });
  describeAddressesOfRuns(bench);
}

function describeAddressesOfRuns(bench: Workbench): void {
  const { slowToObtainAddress } = bench.subject.guest;
  if (!isPossible(slowToObtainAddress)) {
    it(`cannot show that addresses of an earlier run are left out: ${slowToObtainAddress.cannot}`, () => {
      expect(slowToObtainAddress.cannot, 'the reason').not.to.equal('');
    });
    return;
  }
  it('reports none that the guest had before it was started again, until it has obtained one anew', async () => {
    const { uuid } = await bench.started(slowToObtainAddress);
    const before = await bench.eventually('an address', () => addressesOf(bench, uuid));
    await bench.driver.start(uuid);
    expect(await bench.driver.addresses(uuid), 'a start of a running guest is none').to.deep.equal(before);
    await bench.driver.destroy(uuid);
    await bench.driver.start(uuid);
    expect(await bench.driver.addresses(uuid), 'right after the start').to.deep.equal([]);
    await bench.eventually('an address of this run', () => addressesOf(bench, uuid));
  });
}

async function addressesOf(bench: Workbench, uuid: string): Promise<readonly ObservedAddress[] | undefined> {
  const addresses = await bench.driver.addresses(uuid);
  return addresses.length > 0 ? addresses : undefined;
}

function describeWatchFeature(bench: Workbench): void {
  if (bench.has('Events')) {
    return; // events.ts shows them
  }
  it('refuses to watch as Unsupported', async () => {
    const events = bench.driver.watch(new AbortController().signal)[Symbol.asyncIterator]();
    await rejected(events.next(), 'Unsupported');
  });
}

function describeUsageFeatures(bench: Workbench): void {
  for (const [feature, fields] of Object.entries(usageFields) as [
    keyof typeof usageFields,
    (keyof UsageCounters)[],
  ][]) {
    if (!bench.has(feature)) {
      it(`leaves ${fields.join(' and ')} of guests at 0 for want of ${feature}`, async () => {
        const { uuid } = await bench.started();
        const counters = (await bench.driver.usage()).domains.get(uuid);
        expect(fields.map((field) => Number(counters?.[field]))).to.deep.equal(fields.map(() => 0));
      });
    }
  }
}

function describeImpossible(bench: Workbench): void {
  for (const [name, control] of Object.entries(bench.subject.control) as [keyof DriverControl, unknown][]) {
    if (!isPossible(control)) {
      const { cannot } = control as { cannot: string };
      it(`cannot be shown ${name} here: ${cannot}`, () => {
        expect(cannot, 'the reason').not.to.equal('');
      });
    }
  }
}
