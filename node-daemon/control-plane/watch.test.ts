import { expect } from 'chai';
import { silentLogger } from '#runtime/process/log.ts';
import { forgetfulMemory } from '#test/builders/control-plane-memory.ts';
import type { KnownControlPlane } from './memory.ts';
import { ControlPlaneWatch } from './watch.ts';

async function watching(known?: KnownControlPlane) {
  const memory = forgetfulMemory(known);
  const controlPlane = await ControlPlaneWatch.begin({ memory, logger: silentLogger });
  return { memory, controlPlane };
}

describe('whether the control plane is the one that was served', () => {
  it('is never doubted of the first one, which is remembered', async () => {
    const { memory, controlPlane } = await watching();
    controlPlane.sees('Lease', '70');
    await controlPlane.meet('c1');
    expect([controlPlane.doubt, memory.known]).to.deep.equal([undefined, { uid: 'c1', resourceVersion: '70' }]);
  });

  it('is not doubted of the same one that has come further', async () => {
    const { memory, controlPlane } = await watching({ uid: 'c1', resourceVersion: '70' });
    await controlPlane.meet('c1');
    controlPlane.sees('Lease', '90');
    await controlPlane.save();
    expect([controlPlane.doubt, memory.known?.resourceVersion]).to.deep.equal([undefined, '90']);
  });

  it('is doubted of another one, over restarts, until the hold is over', async () => {
    const { memory, controlPlane } = await watching({ uid: 'c1', resourceVersion: '70' });
    await controlPlane.meet('c2');
    expect(controlPlane.doubt).to.equal('Foreign');
    const again = await ControlPlaneWatch.begin({ memory, logger: silentLogger });
    await again.meet('c2');
    again.sees('Lease', '900');
    expect(again.doubt).to.equal('Foreign');
    await again.settle();
    expect([again.doubt, memory.known]).to.deep.equal([undefined, { uid: 'c2', resourceVersion: '900' }]);
  });

  it('is no longer doubted where the one that is known is back', async () => {
    const { controlPlane } = await watching({ uid: 'c1', resourceVersion: '70', doubt: 'Foreign' });
    await controlPlane.meet('c1');
    expect(controlPlane.doubt).to.equal(undefined);
  });

  it('is doubted of one that went back, and stays so however far it comes since', async () => {
    const { memory, controlPlane } = await watching({ uid: 'c1', resourceVersion: '70' });
    controlPlane.sees('Lease', '60');
    await controlPlane.meet('c1');
    controlPlane.sees('Lease', '100');
    await controlPlane.save();
    expect([controlPlane.doubt, memory.known]).to.deep.equal([
      'WentBack',
      { uid: 'c1', resourceVersion: '70', doubt: 'WentBack' },
    ]);
  });

  it('is doubted of one that leapt, as a backup does that is restored with a bumped revision', async () => {
    const { controlPlane } = await watching({ uid: 'c1', resourceVersion: '70' });
    await controlPlane.meet('c1');
    controlPlane.sees('Lease', '1000000071');
    expect(controlPlane.doubt).to.equal('WentBack');
  });

  it('is not doubted for answers of two sources that overtook each other', async () => {
    const { controlPlane } = await watching({ uid: 'c1', resourceVersion: '70' });
    await controlPlane.meet('c1');
    controlPlane.sees('Lease', '90');
    controlPlane.sees('VirtualMachine', '88');
    controlPlane.sees('VirtualMachine', '89');
    expect(controlPlane.doubt).to.equal(undefined);
  });

  it('is asked once more before something is started, and how far it had come is on disk then', async () => {
    const { memory, controlPlane } = await watching({ uid: 'c1', resourceVersion: '70' });
    await controlPlane.meet('c1');
    await controlPlane.verify(async () => '95');
    expect(memory.known?.resourceVersion).to.equal('95');
    await controlPlane.verify(async () => '94');
    expect(controlPlane.doubt).to.equal('WentBack');
  });

  it('is asked anew, once, where it went back, or where what was written there is gone', async () => {
    const written = { name: 'hypervisor-hv1', uid: 'u1', resourceVersion: '80' };
    const surprises: [object | undefined, string | undefined][] = [
      [undefined, undefined],
      [{ ...written, uid: 'u2' }, undefined],
      [{ ...written, resourceVersion: '60' }, 'WentBack'],
    ];
    for (const [found, doubt] of surprises) {
      const { controlPlane } = await watching({ uid: 'c1', resourceVersion: '70' });
      await controlPlane.meet('c1');
      let asked = 0;
      controlPlane.onDoubt(() => {
        asked += 1;
      });
      for (let times = 0; times < 2; times++) controlPlane.finds(found as typeof written | undefined, written);
      expect([controlPlane.doubt, asked]).to.deep.equal([doubt, 1]);
    }
  });

  it('is not asked where somebody else wrote after us', async () => {
    const { controlPlane } = await watching({ uid: 'c1', resourceVersion: '70' });
    await controlPlane.meet('c1');
    controlPlane.onDoubt(() => expect.fail('nothing is wrong'));
    controlPlane.finds(
      { name: 'l', uid: 'u1', resourceVersion: '99' },
      { name: 'l', uid: 'u1', resourceVersion: '80' },
    );
  });
});
