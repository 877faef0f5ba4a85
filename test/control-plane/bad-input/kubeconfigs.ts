import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { freePort } from '#hack/control-plane/free-port.ts';
import type { OwnTestCluster } from '../harness.ts';
import { RunningProgram } from './running-program.ts';

const SCRIPTS = ['operator/main.ts', 'node-daemon/main.ts'] as const;

export function describeKubeconfigs(cluster: OwnTestCluster): void {
  /** The administrator's, changed. */
  async function kubeconfig(name: string, change: (text: string) => string): Promise<string> {
    const file = join(cluster.controlPlane.directory, `${name}.kubeconfig`);
    await writeFile(file, change(await readFile(cluster.kubeconfig, 'utf8')));
    return file;
  }

  for (const script of SCRIPTS) {
    describe(`a kubeconfig for ${script}`, () => {
      it('that is not there is named, and the program ends with status 2', async () => {
        const program = new RunningProgram(script, ['--kubeconfig', '/nowhere/kubeconfig']);
        expect(await program.ended()).to.equal(2);
        expect(program.output).to.include(
          'the kubeconfig /nowhere/kubeconfig cannot be used: there is no such file; --kubeconfig names another',
        );
      });

      it('that names what is not there is named, with that', async () => {
        const gone = await kubeconfig('gone', (text) => text.replace(cluster.controlPlane.caFile, '/nowhere/ca.crt'));
        const program = new RunningProgram(script, ['--kubeconfig', gone]);
        expect(await program.ended()).to.equal(2);
        expect(program.output).to.include(
          `${gone} cannot be used: it names /nowhere/ca.crt, and there is no such file`,
        );
      });

      it('that points nowhere leaves the program waiting, and both log and /readyz say for what', async () => {
        const nowhere = `https://127.0.0.1:${await freePort()}`;
        const file = await kubeconfig('nowhere', (text) => text.replace(cluster.controlPlane.url, nowhere));
        const program = new RunningProgram(script, ['--kubeconfig', file]);
        const words =
          /cannot reach the API server: connect ECONNREFUSED .*; see whether it runs, and whether the kubeconfig/;
        await program.says(words);
        await program.isReady(words);
        await program.isReady(/^503\n/);
        expect(await program.stop()).to.equal(0);
        expect(program.output).not.to.include('"stack"');
      });

      it('whose authority did not sign the server’s certificate is named', async () => {
        const other = join(import.meta.dirname, '../../tls/authority.crt');
        const file = await kubeconfig('distrust', (text) => text.replace(cluster.controlPlane.caFile, other));
        const program = new RunningProgram(script, ['--kubeconfig', file]);
        await program.says(
          /certificate.*; its certificate is not one that certificate-authority in the kubeconfig vouches/,
        );
      });
    });
  }
}
