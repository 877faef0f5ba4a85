// What we write about a VM into its domain comes back byte for byte: a signature covers it.
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { metadataFor, rejected, type Workbench } from './workbench.ts';

const PAYLOADS = {
  'characters that XML gives a meaning': `{"note":"<domain a='b' c=\\"d\\"> & </domain> <!-- --> <![CDATA[ ]]> &amp; &#10;"}`,
  'line ends and blanks that XML parsers normalize': '  {"a":\r\n\t"b"\r\n}\n\n ',
  'characters outside the basic plane': JSON.stringify({ name: 'Jürgen Ελλάδα 漢字 \u{1F40D} é e\u0301' }),
  'characters that XML 1.0 forbids': JSON.stringify({ note: '\uFFFE\uFFFF\u0085\u2028\u007F' }),
  'sixty kilobytes': JSON.stringify({ long: 'ä<&'.repeat(15_000) }),
  'nothing at all': '',
};

export function describeMetadata(bench: Workbench): void {
  describe('metadata', () => {
    for (const [what, payload] of Object.entries(PAYLOADS)) {
      it(`comes back byte for byte with ${what}`, async () => {
        const uuid = randomUUID();
        const metadata = metadataFor(uuid, { payload });
        await bench.defined({ uuid, metadata });
        expect((await bench.present(uuid)).metadata).to.deep.equal(metadata);
      });
    }

    it('comes back byte for byte with any JSON text', async () => {
      const { uuid } = await bench.defined();
      await fc.assert(
        fc.asyncProperty(fc.json({ stringUnit: 'binary' }), async (payload) => {
          const metadata = metadataFor(uuid, { payload });
          await bench.driver.setMetadata(uuid, metadata);
          expect((await bench.present(uuid)).metadata).to.deep.equal(metadata);
        }),
        { numRuns: 20 },
      );
    });

    it('comes back byte for byte where more was granted since the guest was built', async () => {
      const { uuid } = await bench.defined();
      const metadata = metadataFor(uuid, { latest: { payload: '{"<&>":" \u{1F40D}\n"}', signature: 'c2lnbmVk' } });
      await bench.driver.setMetadata(uuid, metadata);
      expect((await bench.present(uuid)).metadata).to.deep.equal(metadata);
      await bench.driver.setMetadata(uuid, metadataFor(uuid));
      expect((await bench.present(uuid)).metadata).to.deep.equal(metadataFor(uuid));
    });

    it('is the same in list as in observe', async () => {
      const { uuid, metadata } = await bench.defined();
      const listed = (await bench.driver.list()).find((domain) => domain.uuid === uuid);
      expect(listed?.metadata).to.deep.equal(metadata);
    });
  });

  describe('setMetadata', () => {
    it('changes a domain that is off, and a start keeps the change', async () => {
      const { uuid } = await bench.defined();
      const metadata = metadataFor(uuid, { epoch: 7, generation: 3, payload: '{"<&>":"\u{1F40D}"}' });
      await bench.driver.setMetadata(uuid, metadata);
      expect((await bench.present(uuid)).metadata).to.deep.equal(metadata);
      await bench.driver.start(uuid);
      expect((await bench.present(uuid)).metadata).to.deep.equal(metadata);
    });

    it('changes a domain that runs, and the change outlives the guest', async () => {
      const { uuid } = await bench.started();
      const metadata = metadataFor(uuid, { epoch: Number.MAX_SAFE_INTEGER, payload: "{'\"':']]>'}" });
      await bench.driver.setMetadata(uuid, metadata);
      expect(await bench.present(uuid)).to.deep.include({ powerState: 'Running', metadata });
      await bench.driver.destroy(uuid);
      expect((await bench.present(uuid)).metadata).to.deep.equal(metadata);
    });

    it('is refused as NotFound where the domain is absent', async () => {
      const uuid = randomUUID();
      await rejected(bench.driver.setMetadata(uuid, metadataFor(uuid)), 'NotFound');
    });
  });

  describe('release', () => {
    it('leaves nothing of ours with a domain that runs, which runs on, and keeps that when it ends', async () => {
      const { uuid } = await bench.started();
      await bench.driver.release(uuid);
      const domain = await bench.present(uuid);
      expect([domain.powerState, domain.metadata]).to.deep.equal(['Running', undefined]);
      expect((await bench.driver.list()).find((one) => one.uuid === uuid)).to.deep.equal(domain);
      await bench.driver.destroy(uuid);
      expect((await bench.off(uuid, 'Destroyed')).metadata).to.equal(undefined);
    });

    it('leaves nothing of ours with a domain that is off, which stays known', async () => {
      const { uuid } = await bench.defined();
      await bench.driver.release(uuid);
      expect((await bench.present(uuid)).metadata).to.equal(undefined);
    });

    it('is quiet where there is nothing of ours, or no domain', async () => {
      const { uuid } = await bench.defined();
      await bench.driver.release(uuid);
      await bench.driver.release(uuid);
      await bench.driver.release(randomUUID());
    });

    it('can be taken back by whoever has the marks', async () => {
      const { uuid, metadata } = await bench.started();
      await bench.driver.release(uuid);
      await bench.driver.setMetadata(uuid, metadata);
      expect(await bench.present(uuid)).to.deep.include({ powerState: 'Running', metadata });
    });
  });
}
