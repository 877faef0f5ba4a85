import { expect } from 'chai';
import { settle, VirtualClock } from '../clock/virtual.ts';
import { KubeError } from '../kube/errors.ts';
import { MemoryApiServer } from '../kube/memory/server.ts';
import type { KubeObject } from '../kube/resource.ts';
import { silentLogger } from '../process/log.ts';
import { EVENTS, type Event } from './event.ts';
import { EventRecorder } from './recorder.ts';

const MINUTE = 60_000;

function gadget(name: string, namespace?: string): KubeObject {
  const metadata = { name, uid: `uid-of-${name}`, ...(namespace && { namespace }) };
  return { apiVersion: 'example.dev/v1', kind: 'Gadget', metadata };
}

function setUp() {
  const clock = new VirtualClock({ startsAt: Date.parse('2026-03-01T12:00:00Z') });
  const server = new MemoryApiServer({ clock, random: Math.random }).serve({ type: EVENTS });
  const store = server.asUser('operator');
  const recorder = () =>
    new EventRecorder({ store, clock, logger: silentLogger, component: 'usher-operator', instance: 'one' });
  const events = async (): Promise<Event[]> => (await store.list(EVENTS)).items;
  return { clock, server, store, recorder, events };
}

describe('the event recorder', () => {
  it('writes a warning so that kubectl describe finds it', async () => {
    const { recorder, events } = setUp();
    const recording = recorder();
    recording.warn(gadget('one', 'users'), 'GuestVanished', 'The guest vanished.');
    await recording.flush();
    const [event] = await events();
    expect(event?.metadata.namespace).to.equal('users');
    expect(event?.metadata.name).to.match(/^one\.[0-9a-f]{16}$/);
    expect(event).to.deep.include({
      type: 'Warning',
      reason: 'GuestVanished',
      message: 'The guest vanished.',
      source: { component: 'usher-operator' },
      count: 1,
      firstTimestamp: '2026-03-01T12:00:00Z',
      lastTimestamp: '2026-03-01T12:00:00Z',
    });
    expect(event?.involvedObject).to.deep.equal({
      apiVersion: 'example.dev/v1',
      kind: 'Gadget',
      namespace: 'users',
      name: 'one',
      uid: 'uid-of-one',
    });
  });

  it('puts the events of cluster-scoped objects into the namespace default', async () => {
    const { recorder, events } = setUp();
    const recording = recorder();
    recording.warn(gadget('node'), 'Silent', 'The node is silent.');
    await recording.flush();
    expect((await events()).map(({ metadata }) => metadata.namespace)).to.deep.equal(['default']);
  });

  it('counts the same warning in the same event at once', async () => {
    const { clock, recorder, events } = setUp();
    const recording = recorder();
    for (let repeat = 0; repeat < 3; repeat += 1) {
      recording.warn(gadget('one', 'users'), 'Crashed', 'It crashed.');
      await clock.advance(MINUTE);
    }
    expect(await events()).to.have.length(1);
    expect((await events())[0]).to.include({ count: 3, lastTimestamp: '2026-03-01T12:02:00Z' });
  });

  it('counts a warning that goes on and on, and writes it seldom', async () => {
    const { clock, server, recorder, events } = setUp();
    const recording = recorder();
    for (let repeat = 0; repeat < 61; repeat += 1) {
      recording.warn(gadget('one', 'users'), 'Crashed', 'It crashed.');
      await clock.advance(10_000);
    }
    expect(server.writes).to.have.length(11);
    expect(await events()).to.have.length(1);
    await clock.advance(5 * MINUTE);
    recording.warn(gadget('one', 'users'), 'Crashed', 'It crashed.');
    await recording.flush();
    expect((await events())[0]).to.include({ count: 62, lastTimestamp: '2026-03-01T12:15:10Z' });
  });

  it('counts what comes in the same breath before it writes', async () => {
    const { server, recorder, events } = setUp();
    const recording = recorder();
    recording.warn(gadget('one', 'users'), 'Crashed', 'It crashed.');
    recording.warn(gadget('one', 'users'), 'Crashed', 'It crashed.');
    await recording.flush();
    expect((await events())[0]?.count).to.equal(2);
    expect(server.writes).to.have.length(1);
  });

  it('finds the event of an earlier process again', async () => {
    const { recorder, events } = setUp();
    for (const recording of [recorder(), recorder(), recorder()]) {
      recording.warn(gadget('one', 'users'), 'Crashed', 'It crashed.');
      await recording.flush();
    }
    expect((await events()).map(({ count }) => count)).to.deep.equal([3]);
  });

  it('begins a new event when the API server has forgotten the old one', async () => {
    const { clock, store, recorder, events } = setUp();
    const recording = recorder();
    recording.warn(gadget('one', 'users'), 'Crashed', 'It crashed.');
    await recording.flush();
    const [{ metadata }] = (await events()) as [Event];
    await store.delete(EVENTS, { name: metadata.name, namespace: 'users' });
    await clock.advance(60 * MINUTE);
    recording.warn(gadget('one', 'users'), 'Crashed', 'It crashed.');
    await recording.flush();
    expect((await events())[0]).to.include({ count: 1, firstTimestamp: '2026-03-01T13:00:00Z' });
  });

  it('keeps different objects, reasons and messages apart', async () => {
    const { recorder, events } = setUp();
    const recording = recorder();
    recording.warn(gadget('one', 'users'), 'A', 'a');
    recording.warn(gadget('one', 'users'), 'A', 'b');
    recording.warn(gadget('one', 'users'), 'B', 'b');
    recording.warn(gadget('two', 'users'), 'B', 'b');
    await recording.flush();
    expect(await events()).to.have.length(4);
  });

  it('limits what is written of one object, and not that of others', async () => {
    const { clock, recorder, events } = setUp();
    const recording = recorder();
    for (let index = 0; index < 50; index += 1) {
      recording.warn(gadget('noisy', 'users'), 'Noise', `Noise number ${index}.`);
    }
    recording.warn(gadget('calm', 'users'), 'Once', 'Once only.');
    await recording.flush();
    expect(await events()).to.have.length(11);
    await clock.advance(10 * MINUTE);
    for (let index = 50; index < 60; index += 1) {
      recording.warn(gadget('noisy', 'users'), 'Noise', `Noise number ${index}.`);
    }
    await recording.flush();
    expect(await events()).to.have.length(13);
  });

  it('bears an API server that fails, and makes up for it with the next warning', async () => {
    const { clock, server, recorder, events } = setUp();
    const recording = recorder();
    server.faults.add({ refuse: new KubeError('Forbidden', 'events are not yours to write') });
    recording.warn(gadget('one', 'users'), 'Crashed', 'It crashed.');
    await recording.flush();
    server.faults.add({ requestDelay: () => 60 * MINUTE });
    recording.warn(gadget('one', 'users'), 'Crashed', 'It crashed.');
    await clock.advance(MINUTE);
    recording.warn(gadget('one', 'users'), 'Crashed', 'It crashed.');
    await recording.flush();
    await settle();
    expect((await events()).map(({ count }) => count)).to.deep.equal([3]);
  });

  it('shortens what Kubernetes would refuse for its length', async () => {
    const { recorder, events } = setUp();
    const recording = recorder();
    recording.warn(gadget('n'.repeat(253), 'users'), 'Long', 'm'.repeat(5000));
    await recording.flush();
    const [event] = (await events()) as [Event];
    expect(event.metadata.name.length).to.equal(253);
    expect(event.message.length).to.equal(1024);
  });

  it('forgets the oldest rather than growing without end', async () => {
    const { server, recorder } = setUp();
    const recording = recorder();
    const writesFor = async (name: string) => {
      const before = server.writes.length;
      recording.warn(gadget(name, 'users'), 'Lost', 'It is lost.');
      await recording.flush();
      return server.writes.length - before;
    };
    for (let index = 0; index < 10; index += 1) {
      await writesFor('first');
    }
    expect(await writesFor('first')).to.equal(0);
    for (let index = 0; index < 1000; index += 1) {
      await writesFor(`other-${index}`);
    }
    expect(await writesFor('first')).to.be.greaterThan(0);
  });
});
