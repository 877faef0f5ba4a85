// Starting, asking to stop, pulling the plug.
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { rejected, type Workbench } from './workbench.ts';

export function describeLifecycle(bench: Workbench): void {
  describe('start', () => {
    it('runs a domain that is known', async () => {
      const { uuid } = await bench.started();
      const domain = await bench.present(uuid);
      expect(domain.powerState).to.equal('Running');
      expect(domain.shutOffReason, 'the reason for being off').to.equal(undefined);
    });

    it('is quiet where the domain runs', async () => {
      const { uuid } = await bench.started();
      await bench.driver.start(uuid);
      expect((await bench.present(uuid)).powerState).to.equal('Running');
    });

    it('is refused as NotFound where the domain is absent', async () => {
      await rejected(bench.driver.start(randomUUID()), 'NotFound');
    });

    it('runs a domain again after its plug was pulled', async () => {
      const { uuid } = await bench.started();
      await bench.driver.destroy(uuid);
      await bench.driver.start(uuid);
      expect((await bench.present(uuid)).powerState).to.equal('Running');
    });
  });

  describeShutdown(bench);

  describe('destroy', () => {
    it('ends the guest, and the reason is Destroyed', async () => {
      const { uuid } = await bench.started();
      await bench.driver.destroy(uuid);
      await bench.off(uuid, 'Destroyed');
    });

    it('is quiet where the domain is off', async () => {
      const { uuid } = await bench.started();
      await bench.driver.destroy(uuid);
      await bench.driver.destroy(uuid);
      await bench.off(uuid, 'Destroyed');
    });

    it('is quiet where the domain is absent', async () => {
      await bench.driver.destroy(randomUUID());
    });

    it('touches no domain but the one named', async () => {
      const [first, second] = [await bench.started(), await bench.started()];
      await bench.driver.destroy(first.uuid);
      await bench.driver.undefine(first.uuid);
      expect((await bench.present(second.uuid)).powerState).to.equal('Running');
    });
  });
}

function describeShutdown(bench: Workbench): void {
  describe('shutdown', () => {
    it('is refused where the domain is absent, as NotFound if it can be done at all', async () => {
      const lacking = bench.has('GracefulShutdown') ? [] : (['Unsupported'] as const);
      await rejected(bench.driver.shutdown(randomUUID()), 'NotFound', ...lacking);
    });

    if (!bench.has('GracefulShutdown')) {
      return; // features.ts shows the refusal
    }
    it('is quiet where the domain is off', async () => {
      const { uuid } = await bench.defined();
      await bench.driver.shutdown(uuid);
      await bench.off(uuid, 'NeverStarted', 'Unknown');
    });

    it('is obeyed by the guest, and the reason is Shutdown', async () => {
      const { uuid } = await bench.started();
      await bench.shutDown(uuid);
      await bench.off(uuid, 'Shutdown');
    });

    it('leaves the definition, so that the domain can be started again', async () => {
      const { uuid } = await bench.started();
      await bench.shutDown(uuid);
      await bench.driver.start(uuid);
      expect((await bench.present(uuid)).powerState).to.equal('Running');
    });
  });
}
