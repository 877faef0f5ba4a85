// The floor: a client that writes the same three things as a VM's way to Running needs, with the same rights and the
// same bytes, and decides nothing.
import { virtualMachineResource } from '#crds/v1alpha1/kinds.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { statusPatch } from '#runtime/controller/status-patch.ts';
import type { KubeStore } from '#runtime/kube/store.ts';
import { machine, NAMESPACE } from './machines.ts';
import type { BenchSite } from './site.ts';

/** What a real VM's way to Running wrote. */
export interface Chain {
  readonly node: string;
  readonly bind: object;
  readonly running: object;
}

/** From all versions of a VM that was created, placed and started. */
export function chainOf(versions: readonly VirtualMachine[]): Chain {
  const [created] = versions;
  const bound = versions.find(({ status }) => status?.placement !== undefined);
  const running = versions.find(({ status }) => status?.phase === 'Running');
  const node = bound?.status?.placement?.hypervisor;
  if (created === undefined || bound?.status === undefined || running?.status === undefined || node === undefined)
    throw new Error('the VM to imitate was not seen as created, as placed and as running');
  const bind = statusPatch(created, bound.status)?.status ?? {};
  return { node, bind, running: statusPatch(bound, running.status)?.status ?? {} };
}

export class BareClient {
  readonly #user: KubeStore;
  readonly #operator: KubeStore;
  readonly #daemon: KubeStore;
  readonly #chain: Chain;

  private constructor(stores: { user: KubeStore; operator: KubeStore; daemon: KubeStore }, chain: Chain) {
    this.#user = stores.user;
    this.#operator = stores.operator;
    this.#daemon = stores.daemon;
    this.#chain = chain;
  }

  static async for(site: BenchSite, chain: Chain): Promise<BareClient> {
    const operator = await site.storeAs({ kind: 'operator' });
    const daemon = await site.storeAs({ kind: 'daemon', node: chain.node });
    return new BareClient({ user: site.user, operator, daemon }, chain);
  }

  /** Create, bind, report Running: each as soon as the one before was answered. */
  async run(name: string): Promise<void> {
    const { bind, running } = this.#chain;
    const created = await this.#user.create(virtualMachineResource, machine(name));
    const bound = await patch(this.#operator, created, bind);
    await patch(this.#daemon, bound, running);
  }
}

async function patch(store: KubeStore, { metadata }: VirtualMachine, status: object): Promise<VirtualMachine> {
  const { name, resourceVersion } = metadata;
  const body = { metadata: { resourceVersion }, status };
  return store.mergePatch(virtualMachineResource, { namespace: NAMESPACE, name }, body, { subresource: 'status' });
}
