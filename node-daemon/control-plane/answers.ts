// What the daemon answers to a hold of the site, and what it makes of the operator's word that the hold is over.
import type { Hypervisor, HypervisorStatus } from '#crds/v1alpha1/hypervisor.ts';
import { virtualMachineResource } from '#crds/v1alpha1/kinds.ts';
import { limits } from '#crds/v1alpha1/limits.ts';
import type { KubeStore } from '#runtime/kube/store.ts';
import type { Hold } from '../domains/snapshot.ts';
import type { DomainReporter } from '../reports/reporter.ts';
import type { ControlPlaneWatch } from './watch.ts';

/** Doubt goes before whatever the operator says: that may be as old as all else. */
export function holdOf({ doubt }: ControlPlaneWatch, { status }: Hypervisor): Hold {
  if (doubt !== undefined) return 'Doubt';
  return status?.hold?.state === 'Held' ? 'Held' : 'None';
}

/** How far the control plane has come. */
export async function latestVersion(store: KubeStore, signal: AbortSignal): Promise<string> {
  return (await store.list(virtualMachineResource, { limit: 1, signal })).resourceVersion;
}

export class Answers {
  readonly #controlPlane: ControlPlaneWatch;
  readonly #reports: Pick<DomainReporter, 'forget'>;
  readonly #isUpToDate: () => Promise<boolean>;
  /** The hold for which the reports were read anew. */
  #begun: string | undefined;
  /** The hold for which everything was reported, by this process: what a status says of it may be from a backup. */
  #answered: { readonly hold: string; readonly orphans: number } | undefined;

  /** `isUpToDate` asks whether what is known of VMs is what the control plane has now. */
  constructor(
    controlPlane: ControlPlaneWatch,
    reports: Pick<DomainReporter, 'forget'>,
    isUpToDate: () => Promise<boolean>,
  ) {
    this.#controlPlane = controlPlane;
    this.#reports = reports;
    this.#isUpToDate = isUpToDate;
  }

  /** Before the guests are looked at: what is found then may be an answer to the hold that is told now. */
  begin({ status }: Hypervisor): string | undefined {
    const hold = status?.hold;
    if (hold?.state !== 'Held') return undefined;
    if (this.#begun !== hold.id) this.#reports.forget();
    this.#begun = hold.id;
    return hold.id;
  }

  /**
   * All guests were looked at, and those of ours that nobody declares are reported: so many. Not taken for an answer where
   * a guest may have been taken for declared by a control plane that is no more. Rejects with a KubeError.
   */
  async finish(hold: string | undefined, orphans: number): Promise<void> {
    if (hold === undefined || this.#answered?.hold === hold || !(await this.#isUpToDate())) return;
    this.#answered = { hold, orphans: Math.min(orphans, limits.domainReports) };
  }

  /** For the status of the Hypervisor. */
  status({ status }: Hypervisor): NonNullable<HypervisorStatus['controlPlane']> {
    const { uid, doubt } = this.#controlPlane;
    const answer = this.#answered;
    const isWanted = answer !== undefined && status?.hold?.id === answer.hold;
    return {
      uid,
      ...(doubt === undefined ? {} : { doubt }),
      ...(isWanted ? { answered: answer.hold, orphans: answer.orphans } : {}),
    };
  }

  /** The Hypervisor as it was read: it may say that the hold is over. */
  async heard({ status }: Hypervisor): Promise<void> {
    const { hold } = status ?? {};
    if (hold?.state !== 'Over' || hold.id !== this.#answered?.hold) return;
    await this.#controlPlane.settle();
  }
}
