// The memory of guests, kept where it outlives their processes.
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { DomainDefinition } from '../driver.ts';
import { isPossible } from './subject.ts';
import { metadataFor, rejected, type Workbench } from './workbench.ts';

export function describeImages(bench: Workbench): void {
  describe('hibernate', () => {
    if (!bench.has('Hibernate')) {
      it('is refused as Unsupported, as is all that goes with it, and the guest runs on', async () => {
        const { uuid } = await bench.started();
        await rejected(bench.driver.hibernate(uuid), 'Unsupported');
        await rejected(bench.driver.discardImage(uuid), 'Unsupported');
        expect((await bench.present(uuid)).powerState).to.equal('Running');
      });
      return;
    }
    describeHibernate(bench);
    describeRestore(bench);
    describeGuarded(bench);
    describeDiscard(bench);
  });
}

async function hibernated(bench: Workbench): Promise<DomainDefinition> {
  const definition = await bench.started();
  await bench.driver.hibernate(definition.uuid);
  return definition;
}

async function hasImage(bench: Workbench, uuid: string): Promise<boolean> {
  return (await bench.present(uuid)).hasImage === true;
}

function describeHibernate(bench: Workbench): void {
  it('keeps the memory of a guest and ends its process, however often it is told', async () => {
    const { uuid, metadata } = await hibernated(bench);
    await bench.driver.hibernate(uuid);
    const domain = await bench.off(uuid, 'Saved');
    expect(domain).to.deep.include({ hasImage: true, metadata });
    expect((await bench.driver.usage()).domains.has(uuid), 'it has no process').to.equal(false);
    expect((await bench.driver.list()).find((one) => one.uuid === uuid)).to.deep.equal(domain);
  });

  it('is refused as Busy where the guest is off, and as NotFound where there is none', async () => {
    const { uuid } = await bench.defined();
    await rejected(bench.driver.hibernate(uuid), 'Busy');
    expect(await hasImage(bench, uuid)).to.equal(false);
    await rejected(bench.driver.hibernate(randomUUID()), 'NotFound');
  });

  it('leaves what is kept to the next daemon', async () => {
    const { uuid } = await hibernated(bench);
    await bench.reopen();
    expect(await hasImage(bench, uuid)).to.equal(true);
  });

  const { restart } = bench.subject.control;
  if (isPossible(restart)) {
    it('leaves what is kept to the next management of the hypervisor', async () => {
      const { uuid } = await hibernated(bench);
      await restart();
      await bench.eventually('it is seen again', () => bench.present(uuid).catch(() => undefined));
      expect(await hasImage(bench, uuid)).to.equal(true);
      await bench.driver.start(uuid, { restore: true });
      expect((await bench.present(uuid)).powerState).to.equal('Running');
    });
  }
}

function describeRestore(bench: Workbench): void {
  it('is undone by a start, which uses the image up', async () => {
    const { uuid, metadata } = await hibernated(bench);
    await bench.driver.start(uuid, { restore: true });
    await bench.driver.start(uuid, { restore: true });
    expect(await bench.present(uuid)).to.deep.include({ powerState: 'Running', metadata });
    await bench.driver.destroy(uuid);
    expect(await hasImage(bench, uuid), 'after it ran again').to.equal(false);
  });

  it('cannot be undone where nothing is kept: the guest is not started anew instead', async () => {
    const { uuid } = await bench.defined();
    await rejected(bench.driver.start(uuid, { restore: true }), 'Failed');
    await bench.off(uuid, 'NeverStarted', 'Unknown');
    await rejected(bench.driver.start(randomUUID(), { restore: true }), 'NotFound');
  });

  if (bench.has('Pause') && bench.has('StartPaused')) {
    it('keeps a paused guest, too; whether it runs when it is back is said by who starts it', async () => {
      const { uuid } = await bench.started();
      await bench.driver.pause(uuid);
      await bench.driver.hibernate(uuid);
      await bench.driver.start(uuid);
      expect((await bench.present(uuid)).powerState).to.equal('Running');
      await bench.driver.hibernate(uuid);
      await bench.driver.start(uuid, { paused: true });
      expect((await bench.present(uuid)).powerState).to.equal('Paused');
    });
  }
}

function describeGuarded(bench: Workbench): void {
  it('guards the definition and the metadata that the memory belongs to, as Busy', async () => {
    const definition = await hibernated(bench);
    const { uuid, metadata } = definition;
    await rejected(bench.driver.define({ ...definition, cpus: 2 }), 'Busy');
    await rejected(bench.driver.setMetadata(uuid, metadataFor(uuid, { epoch: 9 })), 'Busy');
    expect(await bench.present(uuid)).to.deep.include({ hasImage: true, cpus: 1, metadata });
  });

  it('is no obstacle to undefine, which leaves nothing of it to a later domain of that name', async () => {
    const definition = await hibernated(bench);
    await bench.driver.destroy(definition.uuid);
    expect(await hasImage(bench, definition.uuid), 'after destroy').to.equal(true);
    await bench.driver.undefine(definition.uuid);
    await bench.driver.define(definition);
    expect(await hasImage(bench, definition.uuid), 'defined anew').to.equal(false);
  });
}

function describeDiscard(bench: Workbench): void {
  it('is forgotten by discardImage, however often it is told, and the next start is one anew', async () => {
    const definition = await hibernated(bench);
    const { uuid } = definition;
    await bench.driver.discardImage(uuid);
    await bench.driver.discardImage(uuid);
    await bench.driver.discardImage(randomUUID());
    expect(await hasImage(bench, uuid)).to.equal(false);
    await bench.driver.define({ ...definition, cpus: 2 });
    await bench.driver.start(uuid);
    expect(await bench.present(uuid)).to.include({ powerState: 'Running', cpus: 2 });
  });

  it('is nothing to discardImage while the guest runs', async () => {
    const { uuid } = await bench.started();
    await bench.driver.discardImage(uuid);
    expect((await bench.present(uuid)).powerState).to.equal('Running');
  });

  const { discardBehindOurBack } = bench.subject.control;
  if (isPossible(discardBehindOurBack)) {
    it('is gone where somebody else has removed what was kept', async () => {
      const { uuid } = await hibernated(bench);
      await discardBehindOurBack(uuid);
      expect(await hasImage(bench, uuid)).to.equal(false);
    });
  }
}
