// Changes are announced, whoever made them. A hint: what counts is what observe says then.
import { expect } from 'chai';
import type { ShutOffReason } from '../driver.ts';
import { EventLog } from './event-log.ts';
import { type DriverControl, isPossible } from './subject.ts';
import type { Workbench } from './workbench.ts';

export function describeEvents(bench: Workbench): void {
  if (!bench.has('Events')) {
    return; // features.ts shows the refusal
  }
  describe('watch', () => {
    let log: EventLog;
    beforeEach(async () => {
      log = await EventLog.open(bench);
    });
    afterEach(() => log.close());

    it('announces what the driver itself did', async () => {
      const { uuid } = await bench.defined();
      const mark = log.events.length;
      await bench.driver.start(uuid);
      await log.changed(uuid, mark);
      const later = log.events.length;
      await bench.driver.destroy(uuid);
      const { detail } = await log.changed(uuid, later);
      expect(detail).not.to.equal('');
    });

    it('ends quietly when its signal aborts, and another watch still works', async () => {
      await log.close();
      log = await EventLog.open(bench);
      expect(log.events).not.to.have.length(0);
    });

    describeBehindOurBack(bench, () => log);
    describeRestart(bench, () => log);
  });
}

function describeBehindOurBack(bench: Workbench, log: () => EventLog): void {
  const { destroyBehindOurBack, undefineBehindOurBack, crash, powerOffFromInside } = bench.subject.control;
  const ends: End[] = [
    { what: 'a guest whose plug was pulled by someone else', end: destroyBehindOurBack, reasons: ['Destroyed'] },
    { what: 'a guest that crashed', end: crash, reasons: ['Crashed', 'Failed'] },
    { what: 'a guest that powered itself off', end: powerOffFromInside, reasons: ['Shutdown'] },
  ];
  for (const end of ends) {
    describeEnd(bench, log, end);
  }
  if (isPossible(undefineBehindOurBack)) {
    it('announces a domain that someone else removed', async () => {
      const { uuid } = await bench.defined();
      const mark = log().events.length;
      await undefineBehindOurBack(uuid);
      await log().changed(uuid, mark);
      expect(await bench.driver.observe(uuid)).to.deep.equal({ kind: 'Absent' });
    });
  }
  describeForeignEvents(bench, log);
}

interface End {
  readonly what: string;
  readonly end: DriverControl['crash'];
  readonly reasons: readonly ShutOffReason[];
}

function describeEnd(bench: Workbench, log: () => EventLog, { what, end, reasons }: End): void {
  if (!isPossible(end)) {
    return; // features.ts tells why
  }
  it(`announces ${what}`, async () => {
    const { uuid } = await bench.started();
    await bench.subject.guest.ready?.(uuid);
    const mark = log().events.length;
    await end(uuid);
    await log().changed(uuid, mark);
    await bench.off(uuid, ...reasons);
  });
}

function describeForeignEvents(bench: Workbench, log: () => EventLog): void {
  const { createForeign } = bench.subject.control;
  if (!isPossible(createForeign)) {
    return;
  }
  it('announces a domain that someone else made', async () => {
    const { uuid, name } = bench.foreign();
    const mark = log().events.length;
    await createForeign(uuid, name);
    await log().changed(uuid, mark);
    expect(await bench.present(uuid)).to.include({ name, powerState: 'Running' });
  });
}

function describeRestart(bench: Workbench, log: () => EventLog): void {
  const { restart } = bench.subject.control;
  if (!isPossible(restart)) {
    return;
  }
  it('survives a restart of the hypervisor, says so, and announces changes again', async () => {
    const { uuid } = await bench.started();
    const mark = log().events.length;
    await restart();
    await log().seen('Disconnected', mark);
    await log().seen('Reconnected', mark);
    expect((await bench.present(uuid)).powerState).to.equal('Running');
    const later = log().events.length;
    await bench.driver.destroy(uuid);
    await log().changed(uuid, later);
  });
}
