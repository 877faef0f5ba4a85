// Which reports are to be made, changed, or ended. Pure.
import { canonicalJson } from '#crds/canonical-json.ts';
import { type DomainReport, type DomainReportStatus, domainReportName } from '#crds/v1alpha1/domain-report.ts';
import { limits } from '#crds/v1alpha1/limits.ts';
import { contentOf, type Unowned } from './content.ts';

export type ReportAction =
  | { readonly kind: 'Create'; readonly uuid: string; readonly status: DomainReportStatus }
  /** Fields to set; null takes one away. */
  | { readonly kind: 'Tell'; readonly report: DomainReport; readonly status: Record<string, unknown> };

export interface Reported {
  readonly nodeName: string;
  readonly bootID: string;
  /** Of a complete look at the hypervisor. */
  readonly unowned: readonly Unowned[];
  /** By name: those of this node, as they were read or written last. */
  readonly reports: ReadonlyMap<string, DomainReport>;
}

/** Orphans first: of those that are too many, only strangers are left out. */
export function planReports({ nodeName, bootID, unowned, reports }: Reported): ReportAction[] {
  const chosen = unowned
    .toSorted((one, other) => rank(one) - rank(other) || (one.domain.uuid < other.domain.uuid ? -1 : 1))
    .slice(0, limits.domainReports);
  const named = new Map(chosen.map((one) => [domainReportName({ nodeName, uuid: one.domain.uuid }), one] as const));
  const told = [...named].flatMap(([name, one]) => tell(reports.get(name), one.domain.uuid, contentOf(one, bootID)));
  const over = [...reports].flatMap(([name, report]) => (named.has(name) ? [] : end(report)));
  return [...told, ...over];
}

function rank({ reason }: Unowned): number {
  return reason === 'Orphaned' ? 0 : 1;
}

function tell(report: DomainReport | undefined, uuid: string, status: DomainReportStatus): ReportAction[] {
  if (report === undefined) return [{ kind: 'Create', uuid, status }];
  const { verdict: _theirs, ...before } = report.status ?? {};
  if (canonicalJson(before) === canonicalJson({ ...status })) return [];
  const gone = Object.keys(before).filter((field) => !(field in status));
  return [{ kind: 'Tell', report, status: { ...Object.fromEntries(gone.map((field) => [field, null])), ...status } }];
}

function end(report: DomainReport): ReportAction[] {
  return report.status?.over === true ? [] : [{ kind: 'Tell', report, status: { over: true } }];
}
