// Guests that stand still, and guests whose memory lies on disk: what they were doing goes on where it was.
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { killLibvirt, releaseLibvirt } from '#hack/hypervisor-host/faults.ts';
import type { Domain, DomainDefinition, HypervisorDriver } from '#node-daemon/hypervisor/driver.ts';
import { describeQemu, eventually } from './libvirt-qemu-stand.ts';

/** What libvirt writes at the beginning of an image, and what stands there before it has been written to its end. */
const WHOLE = 'LibvirtQemudSave';
const IN_PART = 'LibvirtQemudPart';

describeQemu('a real guest that counts', (stand) => {
  let driver: HypervisorDriver;
  let guest: DomainDefinition;

  before(async () => {
    driver = stand().driver();
    guest = stand().guest('usher.count=1');
    await driver.define(guest);
    await driver.start(guest.uuid);
    await untilCounted(2);
  });

  after(async () => {
    await driver?.close();
  });

  const counts = async (): Promise<number[]> =>
    [...(await stand().console(guest.name)).matchAll(/usher guest: count (\d+)/g)].map(([, number]) => Number(number));
  const counted = async (): Promise<number> => (await counts()).at(-1) ?? 0;
  const untilCounted = async (atLeast: number): Promise<number> =>
    eventually(`it has counted to ${atLeast}`, 90, async () => {
      const count = await counted();
      return count >= atLeast ? count : undefined;
    });
  const present = async (): Promise<Domain> => {
    const seen = await driver.observe(guest.uuid);
    if (seen.kind === 'Absent') throw new Error('the guest is gone');
    return seen.domain;
  };
  const imageFile = () => join(stand().host.directory, 'lib', 'qemu', 'save', `${guest.name}.save`);
  /** One boot, and not a number left out or said twice. */
  const expectOneCount = async (): Promise<void> => {
    const all = await counts();
    expect(all).to.deep.equal(all.map((_number, index) => index + 1));
  };

  it('stands still while it is paused, whatever becomes of libvirtd, and then goes on with the same count', async () => {
    await driver.pause(guest.uuid);
    await pause(300); // what it had said may still be on its way
    const before = await counted();
    await killLibvirt(stand().host, 'stays away');
    await pause(3_000);
    await releaseLibvirt(stand().host);
    const seen = await eventually('the driver is connected again', 20, () => present().catch(() => undefined));
    expect(seen.powerState).to.equal('Paused');
    expect(await counted()).to.equal(before);
    await driver.resume(guest.uuid);
    await untilCounted(before + 2);
    await expectOneCount();
  });

  it('goes on with the same count from its image, whatever becomes of libvirtd meanwhile', async () => {
    await driver.hibernate(guest.uuid);
    const before = await counted();
    expect(await present()).to.deep.include({ powerState: 'ShutOff', shutOffReason: 'Saved', hasImage: true });
    await killLibvirt(stand().host, 'stays away');
    await releaseLibvirt(stand().host);
    const seen = await eventually('the driver is connected again', 20, () => present().catch(() => undefined));
    expect(seen).to.deep.include({ powerState: 'ShutOff', hasImage: true, metadata: guest.metadata });
    await driver.start(guest.uuid, { restore: true });
    await untilCounted(before + 2);
    await expectOneCount();
    expect((await present()).hasImage).to.equal(undefined);
  });

  it('comes back from its image standing still, where that is asked', async () => {
    await driver.hibernate(guest.uuid);
    await driver.start(guest.uuid, { restore: true, paused: true });
    const before = await counted();
    await pause(2_500);
    expect([(await present()).powerState, await counted()]).to.deep.equal(['Paused', before]);
    await driver.resume(guest.uuid);
    await untilCounted(before + 2);
    await expectOneCount();
  });

  it('has no image where that was not written to its end: it is not started anew in place of being restored', async () => {
    await driver.hibernate(guest.uuid);
    await rewrite(imageFile(), WHOLE, IN_PART);
    const expected = { powerState: 'ShutOff', metadata: guest.metadata };
    expect(await present())
      .to.deep.include(expected)
      .and.not.to.have.property('hasImage');
    expect((await driver.list()).find(({ uuid }) => uuid === guest.uuid)).to.deep.equal(await present());
    const error: unknown = await driver.start(guest.uuid, { restore: true }).catch((refusal: unknown) => refusal);
    expect(error).to.include({ reason: 'Failed' });
    await rewrite(imageFile(), IN_PART, WHOLE);
    expect((await present()).hasImage).to.equal(true);
  });

  it('stays off, with its image, where that cannot be restored', async () => {
    await rewrite(imageFile(), WHOLE, 'SomethingElse...');
    const error: unknown = await driver.start(guest.uuid, { restore: true }).catch((refusal: unknown) => refusal);
    expect(error).to.have.property('reason', 'Failed');
    expect(await present()).to.deep.include({ powerState: 'ShutOff', hasImage: true });
    await driver.discardImage(guest.uuid);
    expect((await present()).hasImage).to.equal(undefined);
    await driver.undefine(guest.uuid);
  });
});

async function rewrite(file: string, before: string, after: string): Promise<void> {
  const image = await open(file, 'r+');
  try {
    const { buffer } = await image.read(Buffer.alloc(before.length), 0, before.length, 0);
    expect(buffer.toString('latin1')).to.equal(before);
    await image.write(after, 0, 'latin1');
  } finally {
    await image.close();
  }
}
