// Writes a DomainReport for each guest that nobody declares here, and ends it when somebody does or the guest is gone.
import { type DomainReport, domainReportName } from '#crds/v1alpha1/domain-report.ts';
import type { Hypervisor } from '#crds/v1alpha1/hypervisor.ts';
import { domainReportResource } from '#crds/v1alpha1/kinds.ts';
import { API_VERSION } from '#crds/v1alpha1/names.ts';
import { isKubeError } from '#runtime/kube/errors.ts';
import type { KubeStore } from '#runtime/kube/store.ts';
import { listAll } from '#runtime/reflector/list.ts';
import type { Unowned } from './content.ts';
import { planReports, type ReportAction } from './plan.ts';

export interface DomainReporterOptions {
  readonly store: KubeStore;
  readonly nodeName: string;
  readonly bootID: string;
  readonly hypervisor: () => Hypervisor;
}

export class DomainReporter {
  readonly #options: DomainReporterOptions;
  /** By name, as they were read or written last; undefined while that is not known. */
  #reports: Map<string, DomainReport> | undefined;

  constructor(options: DomainReporterOptions) {
    this.#options = options;
  }

  /** What was known of the reports counts no more: they are read again. */
  forget(): void {
    this.#reports = undefined;
  }

  /** Returns when all is told of these, which are all there are. Rejects with a KubeError; some may be told then. */
  async publish(unowned: readonly Unowned[], signal: AbortSignal): Promise<void> {
    const { nodeName, bootID } = this.#options;
    this.#reports ??= await this.#read(signal);
    const reports = this.#reports;
    try {
      for (const action of planReports({ nodeName, bootID, unowned, reports })) {
        await this.#execute(action, reports, signal);
      }
    } catch (error) {
      // Somebody else made or removed one: what we believe to be there is not what is.
      this.forget();
      throw error;
    }
  }

  async #read(signal: AbortSignal): Promise<Map<string, DomainReport>> {
    const selection = { fieldSelector: `spec.nodeName=${this.#options.nodeName}` };
    const { store } = this.#options;
    const { objects } = await listAll(
      { store, type: domainReportResource, selection, keepsAnnotation: () => false },
      signal,
    );
    return new Map(objects.map((report) => [report.metadata.name, report]));
  }

  async #execute(action: ReportAction, reports: Map<string, DomainReport>, signal: AbortSignal): Promise<void> {
    const report = action.kind === 'Create' ? await this.#create(action.uuid, signal) : action.report;
    const { name } = report.metadata;
    reports.set(name, report);
    try {
      const { store } = this.#options;
      const written = await store.mergePatch(
        domainReportResource,
        { name },
        { status: action.status },
        { subresource: 'status', signal },
      );
      reports.set(name, written);
    } catch (error) {
      // The operator removes what is over.
      if (!isKubeError(error, 'NotFound')) throw error;
      reports.delete(name);
    }
    if (reports.get(name)?.status?.over === true) reports.delete(name);
  }

  /** It goes with its Hypervisor: that of a node which has left for good is of no use. */
  async #create(uuid: string, signal: AbortSignal): Promise<DomainReport> {
    const { store, nodeName, hypervisor } = this.#options;
    const { apiVersion, kind, metadata } = hypervisor();
    const owner = { apiVersion, kind, name: metadata.name, uid: metadata.uid };
    const spec = { nodeName, uuid };
    const object = {
      apiVersion: API_VERSION,
      kind: 'DomainReport',
      metadata: { name: domainReportName(spec), ownerReferences: [owner] },
      spec,
    } as const;
    return store.create(domainReportResource, object, signal);
  }
}
