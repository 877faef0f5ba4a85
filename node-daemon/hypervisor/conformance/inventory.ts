// The list is complete, and nothing is lost when the daemon starts again.
import { expect } from 'chai';
import { isPossible } from './subject.ts';
import type { Workbench } from './workbench.ts';

export function describeInventory(bench: Workbench): void {
  describe('list', () => {
    it('has every domain once, running or not, as observe shows it', async () => {
      const [first, second] = [await bench.defined(), await bench.started()];
      const listed = await bench.driver.list();
      expect(new Set(listed.map((domain) => domain.uuid))).to.have.property('size', listed.length);
      for (const { uuid } of [first, second]) {
        expect(listed.find((domain) => domain.uuid === uuid)).to.deep.equal(await bench.present(uuid));
      }
    });

    it('loses no domain while others come and go', async () => {
      const stays = await bench.started();
      const passing = Array.from({ length: 5 }, () => bench.definition());
      const lists = passing.map(async (definition) => {
        await bench.driver.define(definition);
        const listed = await bench.driver.list();
        await bench.driver.undefine(definition.uuid);
        return listed;
      });
      for (const listed of await Promise.all(lists)) {
        expect(listed.filter((domain) => domain.uuid === stays.uuid)).to.have.length(1);
      }
    });

    describeForeign(bench);
  });

  describe('a driver closed and made anew', () => {
    it('finds all domains as they were', async () => {
      const [off, running] = [await bench.defined(), await bench.started()];
      const before = [await bench.present(off.uuid), await bench.present(running.uuid)];
      await bench.reopen();
      expect([await bench.present(off.uuid), await bench.present(running.uuid)]).to.deep.equal(before);
      await bench.driver.destroy(running.uuid);
      await bench.off(running.uuid, 'Destroyed');
    });

    it('may be closed twice', async () => {
      const other = await bench.subject.make();
      await other.close();
      await other.close();
      expect(await bench.driver.list()).to.be.an('array');
    });
  });
}

function describeForeign(bench: Workbench): void {
  const { createForeign } = bench.subject.control;
  if (!isPossible(createForeign)) {
    return; // features.ts tells why
  }
  it('shows a domain that is not ours, without metadata', async () => {
    const { uuid, name } = bench.foreign();
    await createForeign(uuid, name);
    const listed = (await bench.driver.list()).find((domain) => domain.uuid === uuid);
    expect(listed).to.include({ uuid, name, powerState: 'Running' });
    expect(listed?.metadata).to.equal(undefined);
    expect(listed).to.deep.equal(await bench.present(uuid));
  });

  it('leaves a domain that is not ours alone while ours come and go', async () => {
    const { uuid, name } = bench.foreign();
    await createForeign(uuid, name);
    const ours = await bench.started();
    await bench.driver.destroy(ours.uuid);
    await bench.driver.undefine(ours.uuid);
    expect((await bench.present(uuid)).powerState).to.equal('Running');
  });
}
