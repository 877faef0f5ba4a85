// Guests that stand still and go on.
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { rejected, type Workbench } from './workbench.ts';

export function describeStandstill(bench: Workbench): void {
  describe('pause and resume', () => {
    if (!bench.has('Pause')) {
      it('are refused as Unsupported, and the guest runs on', async () => {
        const { uuid } = await bench.started();
        await rejected(bench.driver.pause(uuid), 'Unsupported');
        await rejected(bench.driver.resume(uuid), 'Unsupported');
        expect((await bench.present(uuid)).powerState).to.equal('Running');
      });
      return;
    }
    describePause(bench);
    describeResume(bench);
  });

  describe('a start that leaves the guest paused', () => {
    if (!bench.has('StartPaused')) {
      it('is refused as Unsupported, and the guest stays off', async () => {
        const { uuid } = await bench.defined();
        await rejected(bench.driver.start(uuid, { paused: true }), 'Unsupported');
        await bench.off(uuid, 'NeverStarted', 'Unknown');
      });
      return;
    }
    it('makes a guest that is there and goes on when it is resumed', async () => {
      const { uuid } = await bench.defined();
      await bench.driver.start(uuid, { paused: true });
      expect((await bench.present(uuid)).powerState).to.equal('Paused');
      await bench.driver.start(uuid);
      expect((await bench.present(uuid)).powerState, 'started a second time').to.equal('Paused');
      await bench.driver.resume(uuid);
      expect((await bench.present(uuid)).powerState).to.equal('Running');
    });

    it('is quiet where the guest runs, which runs on', async () => {
      const { uuid } = await bench.started();
      await bench.driver.start(uuid, { paused: true });
      expect((await bench.present(uuid)).powerState).to.equal('Running');
    });
  });
}

function describePause(bench: Workbench): void {
  it('lets a guest stand still, however often it is told', async () => {
    const { uuid } = await bench.started();
    await bench.driver.pause(uuid);
    await bench.driver.pause(uuid);
    expect((await bench.present(uuid)).powerState).to.equal('Paused');
  });

  it('leaves a paused guest to the next daemon, and to whoever pulls its plug', async () => {
    const { uuid } = await bench.started();
    await bench.driver.pause(uuid);
    await bench.reopen();
    expect((await bench.present(uuid)).powerState).to.equal('Paused');
    expect((await bench.driver.usage()).domains.has(uuid), 'it has a process').to.equal(true);
    await bench.driver.destroy(uuid);
    await bench.off(uuid, 'Destroyed');
  });

  it('is refused as Busy where the guest is off, and as NotFound where there is none', async () => {
    const { uuid } = await bench.defined();
    await rejected(bench.driver.pause(uuid), 'Busy');
    await rejected(bench.driver.pause(randomUUID()), 'NotFound');
  });

  it('from two callers at once: it stands still, and both are content', async () => {
    const { uuid } = await bench.started();
    await Promise.all([bench.driver.pause(uuid), bench.driver.pause(uuid)]);
    expect((await bench.present(uuid)).powerState).to.equal('Paused');
  });
}

function describeResume(bench: Workbench): void {
  it('lets a guest go on, however often it is told', async () => {
    const { uuid } = await bench.started();
    await bench.driver.pause(uuid);
    await bench.driver.resume(uuid);
    await bench.driver.resume(uuid);
    expect((await bench.present(uuid)).powerState).to.equal('Running');
  });

  it('cannot wake what is off, as Busy, nor what is absent, as NotFound', async () => {
    const { uuid } = await bench.defined();
    await rejected(bench.driver.resume(uuid), 'Busy');
    await rejected(bench.driver.resume(randomUUID()), 'NotFound');
  });
}
