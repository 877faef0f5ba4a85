// Daemons, operator, libvirt and API server end and come back. Guests do not notice.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { killLibvirt, releaseLibvirt, signalGuest } from '#hack/hypervisor-host/faults.ts';
import { askedByUsher, refusedOf } from '../../site/audit-log.ts';
import type { SiteUnderTest } from '../../site/describe-site.ts';
import { bootsOf, domainOf, domainsOn, hostOf } from '../../site/guests.ts';
import { guest, on, type SpecInput } from '../../site/manifest.ts';
import { conditionOf, readyOf } from '../../site/user.ts';
import { CRASHING, STEADY } from './names.ts';

const run = promisify(execFile);
const LATER = 'later';
const WAITING = 'waiting';
const quicklyEnded: SpecInput = { ...on('hv2'), powerOff: { mode: 'Force' } };

/** Longer than the operator's and the daemons' patience, which is four heartbeats. */
const LONG_MS = 12_000;

export function describeOutages(under: () => SiteUnderTest): void {
  const host = () => hostOf(under().site, 'hv2');
  let untouched: Seen;

  /** The one process, the one boot, and all that was said, apart from usage. */
  const seen = async (): Promise<Seen> => {
    const { user } = under();
    const pid = await readFile(join(host().directory, 'run/qemu', `${domainOf(STEADY)}.pid`), 'utf8');
    return { pid, boots: await bootsOf(host(), STEADY), status: withoutUsage(user.latest(STEADY)) };
  };
  const answersPing = async (): Promise<void> => {
    const [address] = under().user.latest(STEADY).status?.addresses ?? [];
    await run('ping', ['-c', '1', '-w', '30', address?.ip ?? '']);
  };

  describe('while what looks after them comes and goes', () => {
    before(async () => {
      untouched = await seen();
    });

    afterEach('where a test failed halfway, everything runs again for the next one', async function () {
      if (this.currentTest?.state !== 'failed') return;
      const { site } = under();
      await releaseLibvirt(host());
      if (!site.programs.isRunning('operator')) await site.startOperator();
      if (!site.programs.isRunning('node-daemon-hv2')) await site.startNodeDaemon('hv2');
    });

    it('a node daemon killed and started again does nothing to a guest and writes nothing about it', async () => {
      const { user, site } = under();
      await site.programs.kill('node-daemon-hv2');
      await site.startNodeDaemon('hv2');
      await user.apply(guest(LATER, quicklyEnded)); // once this one runs, the daemon has looked at all
      expect((await user.sees(LATER, 'Running')).status?.placement?.hypervisor).to.equal('hv2');
      expect(await seen()).to.deep.equal(untouched);
      expect(untouched.boots).to.equal(1);
    }).timeout(120_000);

    it('a node daemon that stays away makes its guests Lost, which is said and no more', async () => {
      const { user, site } = under();
      await site.programs.kill('node-daemon-hv2');
      const vm = await user.sees(STEADY, 'Lost');
      expect(readyOf(vm)).to.include({ status: 'False' });
      expect(readyOf(vm).message).to.match(
        /^The daemon of hv2 has been silent since \S+Z\. The guest may be running; nothing is done to it\.$/,
      );
      expect(conditionOf(vm, 'HypervisorReachable').reason).to.equal('Silent');
      expect(await user.warnings(STEADY)).to.include(`Lost: ${readyOf(vm).message}`);
      expect((await user.seesHypervisor('hv2', 'Ready', 'Unknown')).message).to.contain('has been silent since');
      await user.seesHypervisor('hv2', 'Schedulable', 'False');
      await answersPing();
    }).timeout(120_000);

    it('a lost one is not removed before its guest is known to be gone', async () => {
      const { user } = under();
      await user.remove(LATER);
      const vm = await user.sees(LATER, 'Terminating HypervisorUnreachable');
      expect(readyOf(vm).message).to.match(
        /^Cannot be removed before its guest is known to be gone\. The daemon of hv2 has been silent since/,
      );
      expect(await domainsOn(host())).to.include(domainOf(LATER));
    }).timeout(120_000);

    it('with its daemon back it is what it was, and what waited is done', async () => {
      const { user, site } = under();
      await site.startNodeDaemon('hv2');
      await user.sees(STEADY, 'Running');
      await user.untilGone(LATER);
      await user.seesHypervisor('hv2', 'Schedulable', 'True');
      expect(await domainsOn(host())).to.not.include(domainOf(LATER));
      const { status, ...guestItself } = await seen();
      expect(guestItself).to.deep.equal({ pid: untouched.pid, boots: 1 });
      expect(status?.instance).to.deep.equal(untouched.status?.instance);
      untouched = { ...untouched, status };
    }).timeout(120_000);

    it('operator and daemon killed, and started again one after the other: what was asked meanwhile is done then', async () => {
      const { user, site } = under();
      await site.programs.kill('operator');
      await site.programs.kill('node-daemon-hv2');
      await answersPing();
      await site.startNodeDaemon('hv2');
      await user.apply(guest(WAITING, quicklyEnded));
      const waiting = await user.sees(WAITING, 'Pending');
      expect(readyOf(waiting).message).to.match(/^Waiting for the operator to decide\./);
      await site.startOperator();
      await user.sees(WAITING, 'Running', 90);
      expect(await seen()).to.deep.equal(untouched);
      await user.remove(WAITING);
    }).timeout(180_000);

    it('libvirtd killed: guests run on, and both the machine and its VMs say what is missing', async () => {
      const { user } = under();
      await killLibvirt(host(), 'stays away');
      const driver = await user.seesHypervisor('hv2', 'DriverConnected', 'False');
      expect(driver.message).to.match(/^The driver libvirt has no connection and keeps trying: /);
      const vm = await user.sees(STEADY, 'Lost');
      expect(readyOf(vm).message).to.match(
        /^The hypervisor of hv2 has not answered its daemon since \S+Z\. The guest may be running; nothing is done to it\.$/,
      );
      await answersPing();
      await releaseLibvirt(host());
      await user.seesHypervisor('hv2', 'DriverConnected', 'True');
      await user.sees(STEADY, 'Running');
      const { status, ...guestItself } = await seen();
      expect(guestItself).to.deep.equal({ pid: untouched.pid, boots: 1 });
      expect(status?.instance).to.deep.equal(untouched.status?.instance);
      untouched = { ...untouched, status };
    }).timeout(180_000);

    it('in all this no request of the operator or of a daemon was refused', async () => {
      const asked = await askedByUsher(under().site.controlPlane);
      expect(asked).to.have.length.above(100);
      expect(refusedOf(asked)).to.deep.equal([]);
    });

    it('kube-apiserver away for longer than anybody waits: nobody is Lost, and what happened is told afterwards', async () => {
      const { user, site } = under();
      await site.controlPlane.stopApiServer();
      await signalGuest(hostOf(site, 'hv1'), domainOf(CRASHING), 'KILL');
      const before = user.machines.versions(CRASHING).length;
      await delay(LONG_MS);
      await site.controlPlane.startApiServer();
      await user.seesThat(CRASHING, 'the crash', (vm) => {
        const later = user.machines.versions(CRASHING).slice(before);
        return later.some((version) => readyOf(version).reason === 'Crashed') && readyOf(vm).status === 'True';
      });
      await user.apply(guest(LATER, quicklyEnded));
      await user.sees(LATER, 'Running');
      expect(await seen()).to.deep.equal(untouched);
      await answersPing();
    }).timeout(240_000);
  });
}

interface Seen {
  readonly pid: string;
  readonly boots: number;
  readonly status: Partial<NonNullable<VirtualMachine['status']>> | undefined;
}

function withoutUsage({ status }: VirtualMachine): Seen['status'] {
  const { usage: _usage, ...rest } = status ?? {};
  return rest;
}
