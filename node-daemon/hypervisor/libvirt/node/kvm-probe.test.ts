import { expect } from 'chai';
import { DriverError } from '#node-daemon/hypervisor/errors.ts';
import { VirtualClock } from '#runtime/clock/virtual.ts';
import { uuidFor } from '#test/builders/uuid.ts';
import { render } from '../domain-xml/element.ts';
import { kvmProcessor } from '../domain-xml/resources.ts';
import type { Ask } from '../rpc/domain-calls.ts';
import { FAULT, LibvirtFault } from '../rpc/faults.ts';
import { PROCEDURE } from '../rpc/procedures.ts';
import { readDomain, uuidBytes } from '../rpc/values.ts';
import { XdrDecoder } from '../rpc/xdr-decoder.ts';
import { XdrEncoder } from '../rpc/xdr-encoder.ts';
import { tryKvm } from './kvm-probe.ts';

/** Domains that run, by uuid, and what becomes of a new one. */
class FakeLibvirt {
  readonly domains = new Map<string, string>();
  readonly clock = new VirtualClock();
  /** XML of the last domain that was made. */
  made = '';
  /** How long a new domain runs; Failed where it cannot be made. */
  runsFor: number | 'Failed' = 300;
  /** Thrown where a domain is looked up. */
  lost: DriverError | undefined;

  readonly ask: Ask = async (procedure, body) => {
    const decoder = new XdrDecoder(body);
    switch (procedure) {
      case PROCEDURE.connectListAllDomains:
        return answer([...this.domains].reduce(writeHandle, new XdrEncoder().unsigned(this.domains.size)));
      case PROCEDURE.domainCreateXml:
        return answer(writeHandle(new XdrEncoder(), this.#create(decoder.string())));
      case PROCEDURE.domainLookupByUuid:
        return answer(writeHandle(new XdrEncoder(), this.#find(decoder)));
      default:
        this.domains.delete(readDomain(decoder).uuid);
        return answer(new XdrEncoder());
    }
  };

  #create(xml: string): [string, string] {
    this.made = xml;
    if (this.runsFor === 'Failed') throw new LibvirtFault(FAULT.internalError, 'no KVM');
    const made: [string, string] = [textIn(xml, 'uuid'), textIn(xml, 'name')];
    this.domains.set(...made);
    void this.clock.sleep(this.runsFor).then(() => this.domains.delete(made[0]));
    return made;
  }

  #find(decoder: XdrDecoder): [string, string] {
    if (this.lost !== undefined) throw this.lost;
    const hex = decoder.fixed(16).toString('hex');
    const found = [...this.domains].find(([uuid]) => uuid.replaceAll('-', '') === hex);
    if (found === undefined) throw new LibvirtFault(FAULT.noDomain, 'there is none');
    return found;
  }
}

function textIn(xml: string, name: string): string {
  return new RegExp(`<${name}>(.*)</${name}>`).exec(xml)?.[1] ?? '';
}

function writeHandle(encoder: XdrEncoder, [uuid, name]: [string, string]): XdrEncoder {
  return encoder.string(name).fixed(uuidBytes(uuid)).int(1);
}

function answer(encoder: XdrEncoder): XdrDecoder {
  return new XdrDecoder(encoder.finish());
}

describe('the probe of KVM', () => {
  const foreign: [string, string] = [uuidFor('foreign'), 'windows'];
  const leftover: [string, string] = [uuidFor('leftover'), 'usher-kvm-probe-0123abcd'];
  let libvirt: FakeLibvirt;
  beforeEach(() => {
    libvirt = new FakeLibvirt();
    libvirt.domains.set(...foreign).set(...leftover);
  });

  async function probed(): Promise<unknown> {
    const probing = tryKvm(libvirt.ask, libvirt.clock).catch((error: unknown) => error);
    await libvirt.clock.advance(10_000);
    return probing;
  }

  it('runs a guest with the processor that guests get: there are machines where KVM works, and not with that', async () => {
    await probed();
    expect(libvirt.made).to.contain(render(kvmProcessor()));
  });

  it('says that KVM works where its guest ends by itself', async () => {
    expect(await probed()).to.deep.equal({ works: true });
  });

  it('says that it does not, and why, where its guest hangs, or cannot be made', async () => {
    libvirt.runsFor = 3_600_000;
    expect(await probed()).to.deep.equal({ works: false, why: 'a tiny one got nowhere within 8 s' });
    libvirt.runsFor = 'Failed';
    expect(await probed()).to.deep.equal({ works: false, why: 'no KVM' });
  });

  for (const runsFor of [300, 3_600_000, 'Failed'] as const) {
    it(`removes what a probe has left behind whose libvirtd was killed, where a guest runs for ${runsFor}`, async () => {
      libvirt.runsFor = runsFor;
      await probed();
      expect([...libvirt.domains]).to.deep.equal([foreign]);
    });
  }

  it('removes it only after its own guest has ended: it might be a probe that is under way', async () => {
    const probing = tryKvm(libvirt.ask, libvirt.clock);
    await libvirt.clock.advance(299);
    expect([...libvirt.domains.values()]).to.include(leftover[1]);
    await libvirt.clock.advance(10_000);
    await probing;
  });

  it('knows nothing where libvirt goes away', async () => {
    libvirt.lost = new DriverError('Unreachable', 'gone');
    expect(await probed()).to.equal(libvirt.lost);
  });
});
