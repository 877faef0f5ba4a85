import { expect } from 'chai';
import fc from 'fast-check';
import { DriverError } from '#node-daemon/hypervisor/errors.ts';
import { readEvent } from './event-calls.ts';
import { readFault } from './faults.ts';
import { MAX_STRING_BYTES } from './limits.ts';
import { readLease } from './network-calls.ts';
import { decodePacket, encodePacket, PacketFramer } from './packet.ts';
import { EVENT_MESSAGE } from './procedures.ts';
import { readDomain, readParameters, uuidBytes, writeDomain } from './values.ts';
import { XdrDecoder } from './xdr-decoder.ts';
import { XdrEncoder } from './xdr-encoder.ts';

describe('XDR', () => {
  it('gives back whatever was encoded', () => {
    const text = fc.string({ unit: 'binary' }).filter((value) => value.isWellFormed());
    fc.assert(
      fc.property(
        fc.integer(),
        fc.nat(),
        text,
        fc.option(text, { nil: undefined }),
        (int, unsigned, string, optional) => {
          const bytes = new XdrEncoder().int(int).unsigned(unsigned).string(string).optionalString(optional).finish();
          const decoder = new XdrDecoder(bytes);
          expect(bytes.length % 4).to.equal(0);
          expect([
            decoder.int(),
            decoder.unsigned(),
            decoder.string(),
            decoder.optional(() => decoder.string()),
          ]).to.deep.equal([int, unsigned, string, optional]);
          expect(decoder.remaining).to.equal(0);
        },
      ),
    );
  });

  it('refuses to send a text that libvirt would not take', () => {
    expect(() => new XdrEncoder().string('x'.repeat(MAX_STRING_BYTES + 1)))
      .to.throw(DriverError)
      .with.property('reason', 'Invalid');
  });

  it('names a domain by its uuid and refuses what is none', () => {
    const uuid = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';
    const decoder = new XdrDecoder(writeDomain(new XdrEncoder(), uuid).finish());
    expect(readDomain(decoder)).to.deep.equal({ uuid, name: uuid, active: false });
    expect(() => uuidBytes('../etc')).to.throw(DriverError, /^uuid: /);
  });

  it('believes no length that the bytes cannot bear', () => {
    const claims = [0xffff_ffff, MAX_STRING_BYTES, MAX_STRING_BYTES + 1, 5].map((length) =>
      new XdrEncoder().unsigned(length).fixed(Buffer.from('abcd')).finish(),
    );
    for (const bytes of claims) {
      expect(() => new XdrDecoder(bytes).string())
        .to.throw(DriverError)
        .with.property('reason', 'Unreachable');
      const decoder = new XdrDecoder(bytes);
      expect(() => decoder.list(16_384, () => decoder.int()))
        .to.throw(DriverError)
        .with.property('reason', 'Unreachable');
    }
  });
});

describe('decoding bytes of unknown origin', () => {
  const readers: Record<string, (decoder: XdrDecoder) => unknown> = {
    'a list of domains': (decoder) => decoder.list(16_384, () => readDomain(decoder)),
    counters: (decoder) => decoder.list(16_384, () => [readDomain(decoder), readParameters(decoder, 4096)] as const),
    'a fault': readFault,
    'a lifecycle event': (decoder) => readEvent(EVENT_MESSAGE.lifecycle, decoder),
    'a metadata event': (decoder) => readEvent(EVENT_MESSAGE.metadataChange, decoder),
    leases: (decoder) => decoder.list(65_536, () => readLease(decoder)),
    'a list of texts': (decoder) => decoder.list(2048, () => decoder.optional(() => decoder.string())),
  };
  /** Small numbers in big-endian words: lengths and counts that nearly fit. */
  const words = fc
    .array(fc.oneof(fc.nat(8), fc.constantFrom(0xffff_ffff, 0x8000_0000, 4_194_304)), { maxLength: 64 })
    .map((values) => Buffer.concat(values.map((value) => new XdrEncoder().unsigned(value).finish())));
  const bytes = fc.oneof(
    words,
    fc.uint8Array({ maxLength: 512 }).map((array) => Buffer.from(array)),
  );

  for (const [what, read] of Object.entries(readers)) {
    it(`reads ${what} or throws a DriverError, and nothing else`, () => {
      fc.assert(
        fc.property(bytes, (content) => {
          try {
            read(new XdrDecoder(content));
          } catch (error) {
            expect(error).to.be.instanceOf(DriverError);
          }
        }),
        { numRuns: 2_000 },
      );
    });
  }
});

describe('cutting a stream into packets', () => {
  const header = { program: 1, version: 1, procedure: 7, type: 1, serial: 3, status: 0 };

  it('finds every packet, however the bytes arrive', () => {
    const bodies = fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 6 });
    fc.assert(
      fc.property(bodies, fc.infiniteStream(fc.integer({ min: 1, max: 50 })), (contents, sizes) => {
        const stream = Buffer.concat(contents.map((content) => encodePacket(header, Buffer.from(content))));
        const framer = new PacketFramer();
        const found: Buffer[] = [];
        for (let offset = 0; offset < stream.length; ) {
          const size = sizes.next().value ?? 1;
          found.push(...framer.push(stream.subarray(offset, offset + size)));
          offset += size;
        }
        expect(found.map((packet) => decodePacket(packet).header)).to.deep.equal(contents.map(() => header));
        expect(found.map((packet) => [...packet.subarray(28)])).to.deep.equal(contents.map((content) => [...content]));
      }),
    );
  });

  it('refuses a packet that is shorter than its header or longer than libvirt sends', () => {
    for (const length of [0, 27, 33_554_437, 0xffff_ffff]) {
      const framer = new PacketFramer();
      expect(() => framer.push(new XdrEncoder().unsigned(length).finish()))
        .to.throw(DriverError, `a packet of ${length} bytes`)
        .with.property('reason', 'Unreachable');
    }
  });

  it('holds no more than was sent, whatever length was claimed', () => {
    const framer = new PacketFramer();
    expect(
      framer.push(Buffer.concat([new XdrEncoder().unsigned(33_554_432).finish(), Buffer.alloc(1000)])),
    ).to.deep.equal([]);
  });
});
