// Reports of guests that nobody declares, as the API server gives them out.
import { type DomainReport, type DomainReportStatus, domainReportName } from '#crds/v1alpha1/domain-report.ts';
import { API_VERSION } from '#crds/v1alpha1/names.ts';
import { TIME } from './time.ts';
import { uuidFor } from './uuid.ts';

/** What the daemon of this node says of this domain. */
export function domainReport(nodeName: string, uuid: string, status: DomainReportStatus = {}): DomainReport {
  const name = domainReportName({ nodeName, uuid });
  return {
    apiVersion: API_VERSION,
    kind: 'DomainReport',
    metadata: { name, uid: uuidFor(name), resourceVersion: '70', generation: 1, creationTimestamp: TIME },
    spec: { nodeName, uuid },
    status,
  };
}
