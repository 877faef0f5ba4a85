// Sharing out CPU time: what is set is in force at once, is read back, and outlives the guest.
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { areKept, type Limits, NO_LIMITS } from '#crds/resources.ts';
import { rejected, type Workbench } from './workbench.ts';

const SOME: Limits = { cpuShares: 2048, cpuLimitMillis: 500 };
const OTHER: Limits = { cpuShares: 256, cpuLimitMillis: 250 };

export function describeLimits(bench: Workbench): void {
  describe('limits', () => {
    if (!bench.has('CpuGuarantees')) {
      it('are refused as Unsupported: read, set, and in a definition', async () => {
        const { uuid } = await bench.started();
        await rejected(bench.driver.limits(uuid), 'Unsupported');
        await rejected(bench.driver.setLimits(uuid, SOME), 'Unsupported');
        await rejected(bench.driver.define(bench.definition({ limits: SOME })), 'Unsupported');
        expect((await bench.present(uuid)).powerState).to.equal('Running');
      });
      return;
    }
    const expectLimits = async (uuid: string, wanted: Limits, when: string) => {
      const seen = await bench.driver.limits(uuid);
      expect(areKept(wanted, seen), `${when}: ${JSON.stringify(seen)}`).to.equal(true);
    };

    it('are none where nothing was said, running or not', async () => {
      const { uuid } = await bench.defined();
      await expectLimits(uuid, NO_LIMITS, 'off');
      await bench.driver.start(uuid);
      await expectLimits(uuid, NO_LIMITS, 'running');
    });

    it('of a definition are in force from the start', async () => {
      const { uuid } = await bench.defined({ limits: SOME });
      await expectLimits(uuid, SOME, 'off');
      await bench.driver.start(uuid);
      await expectLimits(uuid, SOME, 'running');
    });

    it('of a running guest are changed at once, twice as once, and stay when it is started again', async () => {
      const { uuid } = await bench.started({ limits: SOME });
      await bench.driver.setLimits(uuid, OTHER);
      await bench.driver.setLimits(uuid, OTHER);
      await expectLimits(uuid, OTHER, 'running');
      expect((await bench.present(uuid)).powerState).to.equal('Running');
      await bench.driver.destroy(uuid);
      await bench.driver.start(uuid);
      await expectLimits(uuid, OTHER, 'started again');
    });

    it('are taken away again, from the running guest and from its definition', async () => {
      const { uuid } = await bench.started({ limits: SOME });
      await bench.driver.setLimits(uuid, NO_LIMITS);
      await expectLimits(uuid, NO_LIMITS, 'running');
      await bench.driver.destroy(uuid);
      await expectLimits(uuid, NO_LIMITS, 'off');
    });

    it('of a domain that is off are changed for its next start', async () => {
      const { uuid } = await bench.defined();
      await bench.driver.setLimits(uuid, { cpuShares: 4096 });
      await bench.driver.start(uuid);
      await expectLimits(uuid, { cpuShares: 4096 }, 'running');
    });

    it('as far out as they may be are taken', async () => {
      const { uuid } = await bench.started();
      for (const limits of [
        { cpuShares: 2, cpuLimitMillis: 10 },
        { cpuShares: 262_144, cpuLimitMillis: 512_000 },
      ]) {
        await bench.driver.setLimits(uuid, limits);
        await expectLimits(uuid, limits, 'running');
      }
    });

    it('are those of a new definition when it replaces the one before', async () => {
      const definition = await bench.defined({ limits: SOME });
      const { limits: _none, ...plain } = definition;
      await bench.driver.define(plain);
      await expectLimits(definition.uuid, NO_LIMITS, 'off');
    });

    it('are refused as NotFound where the domain is absent', async () => {
      await rejected(bench.driver.limits(randomUUID()), 'NotFound');
      await rejected(bench.driver.setLimits(randomUUID(), SOME), 'NotFound');
    });
  });
}
