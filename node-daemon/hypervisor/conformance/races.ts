// Two callers at once: whoever wins, the domain ends in a state that one of them asked for.
import { expect } from 'chai';
import { DriverError, type DriverErrorReason } from '../errors.ts';
import type { Workbench } from './workbench.ts';

export function describeRaces(bench: Workbench): void {
  describe('two callers racing', () => {
    it('to start a domain: it runs, and both are content', async () => {
      const { uuid } = await bench.defined();
      await Promise.all([bench.driver.start(uuid), bench.driver.start(uuid)]);
      expect((await bench.present(uuid)).powerState).to.equal('Running');
    });

    it('to define the same domain: it is there once, and both are content', async () => {
      const definition = bench.definition();
      await Promise.all([bench.driver.define(definition), bench.driver.define(definition)]);
      const listed = await bench.driver.list();
      expect(listed.filter((domain) => domain.uuid === definition.uuid)).to.have.length(1);
    });

    it('to define two domains under one name: one has it, the other is told of the Conflict', async () => {
      const first = bench.definition();
      const second = bench.definition({ name: first.name });
      const calls = [bench.driver.define(first), bench.driver.define(second)];
      expect((await outcomes(calls)).sort()).to.deep.equal(['Conflict', 'Done']);
      const listed = await bench.driver.list();
      expect(listed.filter((domain) => domain.name === first.name)).to.have.length(1);
    });

    it('to start and to destroy: it runs, or it is off because of the other', async () => {
      const { uuid } = await bench.defined();
      const [started, destroyed] = await outcomes([bench.driver.start(uuid), bench.driver.destroy(uuid)]);
      expect(destroyed).to.equal('Done');
      expect(started).to.be.oneOf(['Done', 'Failed', 'Busy']);
      const { powerState, shutOffReason } = await bench.present(uuid);
      expect(powerState === 'Running' ? 'Running' : shutOffReason).to.be.oneOf(
        started === 'Done' ? ['Running', 'Destroyed'] : ['Destroyed', 'Failed', 'NeverStarted', 'Unknown'],
      );
    });

    it('to start and to undefine: it runs, or it is gone', async () => {
      const { uuid } = await bench.defined();
      const [started, undefined_] = await outcomes([bench.driver.start(uuid), bench.driver.undefine(uuid)]);
      expect([started, undefined_]).to.be.deep.oneOf([
        ['Done', 'Busy'],
        ['NotFound', 'Done'],
      ]);
      const { kind } = await bench.driver.observe(uuid);
      expect(kind).to.equal(started === 'Done' ? 'Present' : 'Absent');
    });

    it('to destroy a domain: it is off, and both are content', async () => {
      const { uuid } = await bench.started();
      await Promise.all([bench.driver.destroy(uuid), bench.driver.destroy(uuid)]);
      await bench.off(uuid, 'Destroyed');
    });

    it('from two drivers, as an old and a new daemon may: it runs once', async () => {
      const { uuid } = await bench.defined();
      const other = await bench.subject.make();
      await Promise.all([bench.driver.start(uuid), other.start(uuid)]);
      expect((await other.list()).filter((domain) => domain.uuid === uuid)).to.have.length(1);
      await other.close();
      expect((await bench.present(uuid)).powerState).to.equal('Running');
    });
  });
}

async function outcomes(calls: Promise<void>[]): Promise<(DriverErrorReason | 'Done')[]> {
  const settled = await Promise.allSettled(calls);
  return settled.map((result) => {
    if (result.status === 'fulfilled') {
      return 'Done';
    }
    expect(result.reason).to.be.instanceOf(DriverError);
    return (result.reason as DriverError).reason;
  });
}
