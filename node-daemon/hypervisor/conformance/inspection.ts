// What a definition would say of a domain, as its driver reads it back.
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { isPossible } from './subject.ts';
import { rejected, type Workbench } from './workbench.ts';

export function describeInspection(bench: Workbench): void {
  describe('inspect', () => {
    it('reads what the domain was made of, running or not, and changes nothing', async () => {
      for (const definition of [await bench.defined(), await bench.started()]) {
        const before = await bench.present(definition.uuid);
        const read = await bench.driver.inspect(definition.uuid);
        const { name, cpus, memoryBytes, disks, interfaces } = definition;
        expect(read).to.include({ name, cpus, memoryBytes });
        expect(read.disks.map(({ pool, volume }) => ({ pool, volume }))).to.deep.equal(
          disks.map(({ pool, volume }) => ({ pool, volume })),
        );
        expect(read.interfaces.map(({ network, macAddress }) => ({ network, macAddress }))).to.deep.equal(
          interfaces.map(({ network, macAddress }) => ({ network, macAddress })),
        );
        expect(await bench.present(definition.uuid)).to.deep.equal(before);
      }
    });

    it('rejects with NotFound where there is no such domain', async () => {
      await rejected(bench.driver.inspect(randomUUID()), 'NotFound');
    });

    const { createForeign } = bench.subject.control;
    if (!isPossible(createForeign)) return; // features.ts tells why
    it('reads a domain that is not ours, which bears what is written to it afterwards, and tells when it was let go', async () => {
      const { uuid, name } = bench.foreign();
      await createForeign(uuid, name);
      const before = await bench.present(uuid);
      const { cpus, memoryBytes } = before;
      expect(await bench.driver.inspect(uuid)).to.include({ name, cpus, memoryBytes });
      const { metadata } = bench.definition();
      const adopted = { ...metadata, asFound: 'machine <pc>; disk vda on ide' };
      await bench.driver.setMetadata(uuid, adopted);
      expect(await bench.present(uuid)).to.deep.equal({ ...before, metadata: adopted });
      await bench.driver.release(uuid);
      expect(await bench.present(uuid)).to.deep.equal({ ...before, released: true });
    });
  });
}
