import { expect } from 'chai';
import { NODE_DAEMON_SERVICE_ACCOUNT, SYSTEM_NAMESPACE } from '#crds/v1alpha1/names.ts';
import { apiRequest } from '#hack/control-plane/api-request.ts';
import { nodeBoundToken, serviceAccountToken } from '#hack/control-plane/service-account-token.ts';
import type { OwnTestCluster } from '../harness.ts';
import { RunningProgram } from './running-program.ts';

const DAEMON = { namespace: SYSTEM_NAMESPACE, serviceAccount: NODE_DAEMON_SERVICE_ACCOUNT };

export function describeTokens(cluster: OwnTestCluster): void {
  async function daemonWith(token: string): Promise<RunningProgram> {
    const kubeconfig = await cluster.controlPlane.createKubeconfig(`daemon-${Date.now()}`, token);
    const args = ['--kubeconfig', kubeconfig, '--node-name', 'n1', '--driver', 'simulated'];
    return new RunningProgram('node-daemon/main.ts', args);
  }

  describe('a daemon’s token', () => {
    before('nodes', async () => {
      for (const name of ['n1', 'n2']) {
        const body = { apiVersion: 'v1', kind: 'Node', metadata: { name } };
        await apiRequest(cluster.access, { method: 'POST', path: '/api/v1/nodes', body });
      }
    });

    it('of another node ends the daemon with status 2, and names both nodes', async () => {
      const program = await daemonWith(await nodeBoundToken(cluster.access, { ...DAEMON, node: 'n2' }));
      expect(await program.ended()).to.equal(2);
      expect(program.output).to.include(
        '--node-name is n1, and the token of the kubeconfig is that of the node n2: give',
      );
    });

    it('of no node ends it, and the message holds the command that makes the right one', async () => {
      const program = await daemonWith(await serviceAccountToken(cluster.access, DAEMON));
      expect(await program.ended()).to.equal(2);
      expect(program.output).to.include(
        'the token of the kubeconfig names no node: make one with kubectl create token usher-node-daemon ' +
          '--namespace usher-system --bound-object-kind Node --bound-object-name n1',
      );
    });

    it('that is none leaves it waiting for another, and it says so', async () => {
      const program = await daemonWith('rubbish');
      const words =
        /Unauthorized; the token or client certificate of the kubeconfig is wrong, has expired, or is of another/;
      await program.says(words);
      await program.isReady(words);
    });

    it('that ends while it runs is told by /readyz', async () => {
      const program = await daemonWith(await nodeBoundToken(cluster.access, { ...DAEMON, node: 'n1' }));
      await program.isReady(/^200\n/);
      await apiRequest(cluster.access, { method: 'DELETE', path: '/api/v1/nodes/n1' });
      await program.isReady(/^503\n(.|\n)*VirtualMachine changes: Unauthorized; the token/);
      expect(await program.stop()).to.equal(0);
    }).timeout(120_000);
  });

  it('a kubeconfig that was made for another program is named by what it may not', async () => {
    const token = await serviceAccountToken(cluster.access, DAEMON);
    const kubeconfig = await cluster.controlPlane.createKubeconfig('mistaken', token);
    const program = new RunningProgram('operator/main.ts', ['--kubeconfig', kubeconfig]);
    await program.isReady(
      /cannot list resource .*virtualmachineoperations.*; use the kubeconfig that was made for this program, or install/,
    );
  });
}
