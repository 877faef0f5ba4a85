// Making domains known and forgetting them.
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { metadataFor, rejected, type Workbench } from './workbench.ts';

export function describeDefinition(bench: Workbench): void {
  describe('define', () => {
    it('makes the domain known and does not start it', async () => {
      const definition = await bench.defined({ cpus: 2 });
      const { powerState, shutOffReason, ...rest } = await bench.present(definition.uuid);
      expect(powerState).to.equal('ShutOff');
      expect(shutOffReason).to.be.oneOf(['NeverStarted', 'Unknown']);
      const { uuid, name, cpus, memoryBytes, metadata } = definition;
      expect(rest).to.deep.equal({ uuid, name, cpus, memoryBytes, metadata });
    });

    it('done twice is done once', async () => {
      const definition = await bench.defined();
      await bench.driver.define(definition);
      const matching = (await bench.driver.list()).filter(({ uuid }) => uuid === definition.uuid);
      expect(matching).to.have.length(1);
    });

    it('replaces the definition of a domain that is off', async () => {
      const definition = await bench.defined();
      const metadata = metadataFor(definition.uuid, { epoch: 2, generation: 5 });
      await bench.driver.define({ ...definition, cpus: 2, memoryBytes: definition.memoryBytes * 2, metadata });
      const domain = await bench.present(definition.uuid);
      expect(domain).to.deep.include({ cpus: 2, memoryBytes: definition.memoryBytes * 2, metadata });
    });

    it('is refused as Busy where the domain runs, which it leaves as it is', async () => {
      const definition = await bench.started();
      await rejected(bench.driver.define({ ...definition, cpus: 2 }), 'Busy');
      expect(await bench.present(definition.uuid)).to.include({ powerState: 'Running', cpus: 1 });
    });

    it('is refused as Conflict where the name belongs to another uuid, which it leaves as it is', async () => {
      const first = await bench.defined();
      const second = bench.definition({ name: first.name });
      const error = await rejected(bench.driver.define(second), 'Conflict');
      expect(error.message).to.contain(first.name);
      expect(await bench.driver.observe(second.uuid)).to.deep.equal({ kind: 'Absent' });
      expect((await bench.present(first.uuid)).name).to.equal(first.name);
    });
  });

  describe('undefine', () => {
    it('forgets a domain that is off', async () => {
      const { uuid } = await bench.defined();
      await bench.driver.undefine(uuid);
      expect(await bench.driver.observe(uuid)).to.deep.equal({ kind: 'Absent' });
    });

    it('is quiet where the domain is absent, also the second time', async () => {
      const { uuid } = await bench.defined();
      await bench.driver.undefine(uuid);
      await bench.driver.undefine(uuid);
      await bench.driver.undefine(randomUUID());
    });

    it('is refused as Busy where the domain runs, which runs on', async () => {
      const { uuid } = await bench.started();
      await rejected(bench.driver.undefine(uuid), 'Busy');
      expect((await bench.present(uuid)).powerState).to.equal('Running');
    });

    it('lets the name be used again', async () => {
      const first = await bench.defined();
      await bench.driver.undefine(first.uuid);
      const second = await bench.defined({ name: first.name });
      expect((await bench.present(second.uuid)).name).to.equal(first.name);
    });
  });
}
