// A thousand VMs created and started by one operation, by the programs as they are shipped, on a real API server.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { VirtualMachineOperation } from '#crds/v1alpha1/virtual-machine-operation.ts';
import { until } from '#hack/until.ts';
import { describeSite } from '../site/describe-site.ts';
import { guest } from '../site/manifest.ts';
import { countWrites } from '../site/write-count.ts';

const OPERATOR = 'operator';
/** On machines that do nothing else it takes half a minute. */
const PATIENCE_SECONDS = 400;

const choice = { hypervisor: 'simulated', machineNames: ['hv1', 'hv2'], heartbeatSeconds: 2 } as const;

describeSite('an operation on a thousand VMs', choice, (under) => {
  const read = async () =>
    JSON.parse(await under().user.kubectl('get', 'uvmop', 'start', '-o', 'json')) as VirtualMachineOperation;
  const doneOf = async () => (await read()).status?.counts?.succeeded ?? 0;

  before(async function () {
    this.timeout(60_000);
    const { user } = under();
    for (const name of choice.machineNames) {
      await user.changeHypervisor(name, { overcommit: { cpuPercent: 1600 } });
      await user.hypervisors.until(name, {
        what: 'it has room for all of them',
        holds: ({ status }) => (status?.allocatable?.cpus ?? 0) >= 1000,
        told: ({ status }) => JSON.stringify(status?.allocatable),
      });
    }
  });

  it('is done, counted exactly once and told every two seconds at most, though the operator is killed in the middle', async () => {
    const { site, user } = under();
    const count = await countWrites(under());
    const { boot } = guest('template').spec;
    const template = { spec: { resources: { cpus: 1, memory: '16Mi' }, boot } };
    const spec = { type: 'Start', targets: { set: 'vm-{1-1000}' }, parallelism: 100, template };
    const operation = {
      apiVersion: 'usher.dev/v1alpha1',
      kind: 'VirtualMachineOperation',
      metadata: { name: 'start' },
      spec,
    };
    const file = join(site.options.directory, 'start.json');
    await writeFile(file, JSON.stringify(operation));
    const began = performance.now();
    await user.kubectl('create', '-f', file);
    await until('some of them run', PATIENCE_SECONDS, async () => (await doneOf()) > 150);
    await site.programs.kill(OPERATOR);
    await site.startOperator(OPERATOR);
    await until('all of them run', PATIENCE_SECONDS, async () => (await read()).status?.completionTime !== undefined);
    const seconds = (performance.now() - began) / 1000;
    const { status } = await read();
    expect(status).to.deep.include({ phase: 'Succeeded', done: '1000/1000', succeeded: ['vm-{1-1000}'] });
    expect(JSON.stringify(status).length).to.be.below(64_000);
    const epochs = await user.kubectl(
      'get',
      'uvm',
      '-o',
      'jsonpath={range .items[*]}{.status.placement.epoch}{"\\n"}{end}',
    );
    expect(epochs.trim().split('\n')).to.deep.equal(Array.from({ length: 1000 }, () => '1'));
    const writes = (await count()).filter(({ resource }) => resource === 'virtualmachineoperations/status');
    expect(writes.length).to.be.at.most(Math.ceil(seconds / 2) + 4);
  }).timeout(2 * PATIENCE_SECONDS * 1000);
});
