// Guests that are asked to reboot.
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { rejected, type Workbench } from './workbench.ts';

export function describeReboot(bench: Workbench): void {
  describe('reboot', () => {
    if (!bench.has('Reboot')) {
      it('is refused as Unsupported, and the guest runs on', async () => {
        const { uuid } = await bench.started();
        await rejected(bench.driver.reboot(uuid), 'Unsupported');
        expect((await bench.present(uuid)).powerState).to.equal('Running');
      });
      return;
    }

    it('is asked of a guest, which comes up again and was never off', async () => {
      const { uuid } = await bench.started();
      await bench.driver.reboot(uuid);
      const states = new Set<string>();
      await bench.eventually('it runs again', async () => {
        const { powerState } = await bench.present(uuid);
        states.add(powerState);
        return powerState === 'Running' ? true : undefined;
      });
      expect([...states]).not.to.include.members(['ShutOff']);
      expect([...states]).not.to.include.members(['Crashed']);
    });

    it('keeps what the domain carries', async () => {
      const { uuid, metadata } = await bench.started();
      await bench.driver.reboot(uuid);
      expect((await bench.present(uuid)).metadata).to.deep.equal(metadata);
    });

    it('is Busy where the guest is off, and NotFound where it is absent', async () => {
      const { uuid } = await bench.defined();
      await rejected(bench.driver.reboot(uuid), 'Busy');
      await rejected(bench.driver.reboot(randomUUID()), 'NotFound');
    });

    if (!bench.has('Pause')) return;
    it('is Busy where the guest stands still', async () => {
      const { uuid } = await bench.started();
      await bench.driver.pause(uuid);
      await rejected(bench.driver.reboot(uuid), 'Busy');
    });
  });
}
