import { expect } from 'chai';
import { VirtualClock } from '#runtime/clock/virtual.ts';
import type { Ask } from '../rpc/domain-calls.ts';
import { LibvirtFault } from '../rpc/faults.ts';
import { PROCEDURE } from '../rpc/procedures.ts';
import { uuidBytes } from '../rpc/values.ts';
import { XdrDecoder } from '../rpc/xdr-decoder.ts';
import { XdrEncoder } from '../rpc/xdr-encoder.ts';
import { addressesOf, startKeepingAddresses } from './addresses.ts';
import { EarlierAddresses } from './earlier-addresses.ts';

const uuid = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';
const MAC = '52:54:00:aa:bb:cc';
const XML = `<domain><devices>
  <interface type='network'><mac address='${MAC}'/><source network='default'/></interface>
</devices></domain>`;
const OLD = '10.0.0.5';
const NEW = '10.0.0.6';
const MINUTE = 60_000;
const NO_NETWORK = 43;

type Lease = readonly [ip: string, expiresAt: bigint];

/** What libvirt knows of the one domain there is. */
class FakeLibvirt {
  active = false;
  leases: Lease[] = [];
  arp: string[] = [];
  /** What cannot be asked, by procedure. */
  readonly faults = new Map<number, number>();

  readonly ask: Ask = async (procedure, body) => {
    const fault = this.faults.get(procedure);
    if (fault !== undefined) throw new LibvirtFault(fault, 'no');
    return new XdrDecoder(this.#answer(procedure, new XdrDecoder(body)));
  };

  #answer(procedure: number, body: XdrDecoder): Buffer {
    switch (procedure) {
      case PROCEDURE.domainLookupByUuid:
        return new XdrEncoder()
          .string('vm')
          .fixed(uuidBytes(uuid))
          .int(this.active ? 1 : -1)
          .finish();
      case PROCEDURE.domainGetXmlDesc:
        return new XdrEncoder().string(XML).finish();
      case PROCEDURE.networkLookupByName:
        return new XdrEncoder().string('default').fixed(uuidBytes(uuid)).finish();
      case PROCEDURE.networkGetDhcpLeases:
        return leasesAnswer(this.leases);
      default:
        return addressesAnswer(sourceIn(body) === 0 ? this.leases.map(([ip]) => ip) : this.arp);
    }
  }
}

function sourceIn(body: XdrDecoder): number {
  body.string();
  body.fixed(16);
  body.int();
  return body.unsigned();
}

function leasesAnswer(leases: readonly Lease[]): Buffer {
  const answer = new XdrEncoder().unsigned(leases.length);
  for (const [ip, expiresAt] of leases) {
    answer.string('virbr0').fixed(hyper(expiresAt)).int(0).optionalString(MAC).optionalString(undefined).string(ip);
    answer.unsigned(24).optionalString('guest').optionalString(undefined);
  }
  return answer.finish();
}

function hyper(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
}

function addressesAnswer(ips: readonly string[]): Buffer {
  const answer = new XdrEncoder().unsigned(1).string('vnet0').optionalString(MAC).unsigned(ips.length);
  ips.forEach((ip) => answer.int(0).string(ip).unsigned(24));
  return answer.finish();
}

describe('the addresses of a guest', () => {
  let clock: VirtualClock;
  let libvirt: FakeLibvirt;
  let earlier: EarlierAddresses;
  beforeEach(() => {
    clock = new VirtualClock();
    libvirt = new FakeLibvirt();
    earlier = new EarlierAddresses(clock);
  });

  async function start(): Promise<void> {
    const { ask } = libvirt;
    await startKeepingAddresses({ ask, earlier }, uuid, async () => {
      libvirt.active = true;
    });
  }

  async function told(): Promise<string[]> {
    const { ask } = libvirt;
    const addresses = await addressesOf({ ask, patient: ask, earlier }, uuid);
    return addresses.map(({ source, ip }) => `${source} ${ip}`);
  }

  it('are those of a lease, and that it was renewed says that it is of this run', async () => {
    libvirt.leases = [[OLD, 1_000n]];
    await start();
    expect(await told()).to.deep.equal([]);
    await clock.advance(60 * MINUTE);
    expect(await told(), 'an hour later').to.deep.equal([]);
    libvirt.leases = [[OLD, 1_001n]];
    expect(await told()).to.deep.equal([`Lease ${OLD}`]);
  });

  it('are told at once where it got another one, beside what is left of the old one', async () => {
    libvirt.leases = [[OLD, 1_000n]];
    await start();
    libvirt.leases = [
      [OLD, 1_000n],
      [NEW, 1_007n],
    ];
    expect(await told()).to.deep.equal([`Lease ${NEW}`]);
  });

  it('are told at once where it had no lease before', async () => {
    await start();
    libvirt.leases = [[NEW, 1_000n]];
    expect(await told()).to.deep.equal([`Lease ${NEW}`]);
  });

  it('of a lease for ever are confirmed by what its machine heard since, or by two minutes', async () => {
    libvirt.leases = [[OLD, 0n]];
    await start();
    expect(await told()).to.deep.equal([]);
    libvirt.arp = [OLD];
    expect(await told(), 'heard since').to.deep.equal([`ARP ${OLD}`]);
    await clock.advance(2 * MINUTE);
    expect(await told(), 'two minutes later').to.deep.equal([`Lease ${OLD}`]);
  });

  it('that its machine had heard before are not taken for new ones, but for two minutes only', async () => {
    libvirt.arp = [OLD];
    await start();
    expect(await told()).to.deep.equal([]);
    libvirt.arp = [OLD, NEW];
    expect(await told()).to.deep.equal([`ARP ${NEW}`]);
    await clock.advance(2 * MINUTE);
    expect(await told()).to.deep.equal([`ARP ${OLD}`, `ARP ${NEW}`]);
  });

  it('are all believed where nobody saw its start', async () => {
    libvirt.leases = [[OLD, 1_000n]];
    libvirt.active = true;
    expect(await told()).to.deep.equal([`Lease ${OLD}`]);
  });

  it('do not become old by a start of a guest that runs', async () => {
    libvirt.leases = [[OLD, 1_000n]];
    libvirt.active = true;
    await start();
    expect(await told()).to.deep.equal([`Lease ${OLD}`]);
  });

  it('keep no guest from starting where they cannot be asked for', async () => {
    libvirt.leases = [[OLD, 1_000n]];
    for (const procedure of [PROCEDURE.domainGetXmlDesc, PROCEDURE.domainInterfaceAddresses]) {
      libvirt.faults.set(procedure, 38);
    }
    await start();
    expect(libvirt.active).to.equal(true);
  });

  it('are those its machine heard where its network keeps no leases', async () => {
    libvirt.faults.set(PROCEDURE.networkLookupByName, NO_NETWORK);
    await start();
    libvirt.arp = [NEW];
    expect(await told()).to.deep.equal([`ARP ${NEW}`]);
  });
});
