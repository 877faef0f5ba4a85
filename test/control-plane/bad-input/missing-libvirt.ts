import { expect } from 'chai';
import { findCondition } from '#crds/conditions.ts';
import type { Hypervisor } from '#crds/v1alpha1/hypervisor.ts';
import { apiRequest } from '#hack/control-plane/api-request.ts';
import { until } from '#hack/until.ts';
import type { OwnTestCluster } from '../harness.ts';
import { RunningProgram } from './running-program.ts';

export function describeMissingLibvirt(cluster: OwnTestCluster): void {
  const hypervisor = async () =>
    apiRequest<Hypervisor>(cluster.access, { method: 'GET', path: '/apis/usher.dev/v1alpha1/hypervisors/bare' });
  const connected = async () => findCondition((await hypervisor()).status?.conditions, 'DriverConnected');

  it('a machine without libvirt is told by log, /readyz and condition, with the options that name it', async () => {
    const args = ['--kubeconfig', cluster.kubeconfig, '--node-name', 'bare', '--libvirt-socket', '/nowhere/sock'];
    const program = new RunningProgram('node-daemon/main.ts', args);
    const words =
      /cannot use libvirt \(--libvirt-uri qemu:\/\/\/system, --libvirt-socket \/nowhere\/sock\): there is no such socket; install and start libvirtd/;
    await program.says(words);
    await program.isReady(words);
    await program.isReady(/^503\n/);
    await until('the condition is written', 30, async () => (await connected().catch(() => undefined)) !== undefined);
    const condition = await connected();
    expect(condition?.status).to.equal('False');
    expect(condition?.message).to.match(words);
    expect(await program.stop()).to.equal(0);
  }).timeout(120_000);
}
