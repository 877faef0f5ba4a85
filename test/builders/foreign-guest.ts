// Guests that somebody else made, as their daemon reports them.
import type { DomainReport, DomainReportStatus, Found } from '#crds/v1alpha1/domain-report.ts';
import type { Guest } from '#operator/adoption/faults.ts';
import { domainReport } from './domain-report.ts';
import { uuidFor } from './uuid.ts';

export const FOUND: Found = {
  boot: { disk: 'vda' },
  disks: [{ name: 'vda', pool: 'default', volume: 'web.qcow2', format: 'qcow2', readOnly: false }],
  interfaces: [{ name: 'net0', network: 'default', macAddress: '52:54:00:00:00:01' }],
  hardware: 'machine pc; disk vda on ide',
  obstacles: [],
};

export function foreignReport(
  domain: Partial<NonNullable<DomainReportStatus['domain']>> = {},
  status: DomainReportStatus = {},
): DomainReport {
  const seen = { name: 'web.usher', reason: 'Foreign', powerState: 'Running', cpus: 2, memory: '1Gi' } as const;
  const told = { domain: { ...seen, bootID: uuidFor('boot'), ...domain }, found: FOUND, ...status };
  return domainReport('hv1', uuidFor('web.usher'), told);
}

/** One that can be adopted. */
export function foreignGuest(changes: Partial<Guest> = {}): Guest {
  const known = { accepted: true, onHold: false, elsewhere: [], owner: undefined, namesake: undefined };
  return { report: foreignReport(), name: 'web', namespace: 'team', ...known, ...changes };
}
