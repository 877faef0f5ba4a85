// Operations as a user asks for them, with kubectl, and waits for what comes of them.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OperationSpec } from '#crds/v1alpha1/operation-spec.ts';
import type { VirtualMachineOperation } from '#crds/v1alpha1/virtual-machine-operation.ts';
import { until } from '#hack/until.ts';
import type { SiteUnderTest } from '../site/describe-site.ts';

export function operating(under: () => SiteUnderTest) {
  async function operate(name: string, spec: Partial<OperationSpec>): Promise<void> {
    const metadata = { name, namespace: 'default' };
    const operation = { apiVersion: 'usher.dev/v1alpha1', kind: 'VirtualMachineOperation', metadata, spec };
    const file = join(under().site.options.directory, `${name}.json`);
    await writeFile(file, JSON.stringify(operation));
    await under().user.kubectl('create', '-f', file);
  }

  async function read(name: string): Promise<VirtualMachineOperation> {
    return JSON.parse(await under().user.kubectl('get', 'uvmop', name, '-o', 'json')) as VirtualMachineOperation;
  }

  async function finished(name: string, seconds = 120): Promise<VirtualMachineOperation> {
    let operation = await read(name);
    await until(`operation ${name} is over`, seconds, async () => {
      operation = await read(name);
      return operation.status?.completionTime !== undefined;
    });
    return operation;
  }

  return { operate, finished };
}
