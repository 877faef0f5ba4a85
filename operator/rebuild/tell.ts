// What the operator writes on a report of a guest: its verdict, once, and its end.
import type { DomainReport } from '#crds/v1alpha1/domain-report.ts';
import { domainReportResource } from '#crds/v1alpha1/kinds.ts';
import { limits } from '#crds/v1alpha1/limits.ts';
import { timestampOf } from '#runtime/clock/clock.ts';
import { writeStatus } from '#runtime/controller/status-patch.ts';
import { isKubeError } from '#runtime/kube/errors.ts';
import type { ReportContext } from './context.ts';
import type { Word } from './plan.ts';

export async function remove(
  { store, logger }: ReportContext,
  { metadata }: DomainReport,
  signal: AbortSignal,
): Promise<void> {
  const { name, uid, resourceVersion } = metadata;
  logger.info('Delete', { report: name });
  try {
    await store.delete(domainReportResource, { name }, { preconditions: { uid, resourceVersion }, signal });
  } catch (error) {
    // Its daemon has something to say again.
    if (!isKubeError(error, 'Conflict', 'NotFound')) throw error;
  }
}

export async function tell(
  context: ReportContext,
  report: DomainReport,
  word: Word,
  signal: AbortSignal,
): Promise<void> {
  const said = report.status?.verdict;
  if (said?.outcome === word.outcome && said.reason === word.reason) return;
  const { store, ownWrites, clock, logger } = context;
  logger.info('Tell', { report: report.metadata.name, ...word });
  const verdict = { ...word, message: word.message.slice(0, limits.sentence), time: timestampOf(clock.now()) };
  const next = { ...report.status, verdict };
  ownWrites.remember(await writeStatus(store, domainReportResource, { observed: report, next, signal }));
  if (word.outcome !== 'Refused') return;
  context.warn(report, word.reason, word.message);
  context.refused(word.reason);
}
