import { expect } from 'chai';
import { installUsher } from '#hack/site/install.ts';
import type { OwnTestCluster } from '../harness.ts';
import { RunningProgram } from './running-program.ts';

export function describeMissingApi(cluster: OwnTestCluster): void {
  it('an API server without the API: both programs say how to install it, and begin by themselves once it is', async () => {
    const words =
      /the API server knows no virtualmachines\.usher\.dev; install the API with kubectl apply --server-side/;
    const operator = new RunningProgram('operator/main.ts', ['--kubeconfig', cluster.kubeconfig]);
    const simulated = ['--kubeconfig', cluster.kubeconfig, '--node-name', 'n0', '--driver', 'simulated'];
    const programs = [operator, new RunningProgram('node-daemon/main.ts', simulated)];
    for (const program of programs) {
      await program.says(words);
      await program.isReady(words);
      await program.isReady(/^503\n/);
    }
    await installUsher(cluster.controlPlane, () => undefined);
    for (const program of programs) {
      await program.isReady(/^200\n/);
      expect(await program.stop()).to.equal(0);
    }
  }).timeout(180_000);
}
