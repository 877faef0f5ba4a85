// One report of a guest that nobody declares: look, decide, write once.

import type { DomainReport } from '#crds/v1alpha1/domain-report.ts';
import { virtualMachineResource } from '#crds/v1alpha1/kinds.ts';
import { API_VERSION, INSTANCE_UUID_ANNOTATION, REQUESTER_ANNOTATION } from '#crds/v1alpha1/names.ts';
import { reconcileForeign } from '#operator/adoption/reconcile.ts';
import type { Guests } from '#operator/site/reconcile.ts';
import type { ReconcileResult } from '#runtime/controller/controller.ts';
import { NAMESPACES } from '#runtime/kube/control-plane.ts';
import { isKubeError, type KubeError } from '#runtime/kube/errors.ts';
import type { Claim } from './claims.ts';
import type { ReportContext } from './context.ts';
import { mayBeUp } from './owner.ts';
import { isUnsettled, NOT_ACCEPTED, planReport, type ReportSnapshot, type Word } from './plan.ts';
import { remove, tell } from './tell.ts';

/** Idempotent. Rejects with a KubeError; nothing is lost by calling it again. */
export async function reconcileReport(
  context: ReportContext,
  name: string,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const cached = context.reports.cache.get(name);
  if (cached === undefined) return {};
  const report = context.ownWrites.latest(cached);
  if (report.status?.domain?.reason === 'Foreign' && report.status.over !== true)
    return reconcileForeign(context, report, signal);
  const plan = planReport(snapshotOf(context, report));
  switch (plan.kind) {
    case 'Nothing':
      return {};
    case 'Delete':
      await remove(context, report, signal);
      return {};
    case 'Tell':
      await tell(context, report, plan.word, signal);
      return {};
    case 'Create':
      await create(context, plan.claim, signal);
      return {};
  }
}

type Seen = Pick<ReportContext, 'reports' | 'machines' | 'phase'>;

/** All that a decision on this report looks at. */
function snapshotOf({ reports, machines, phase }: Seen, report: DomainReport): ReportSnapshot {
  const judgement = reports.judge(report);
  const { namespace = '', name = '' } = judgement.kind === 'Claim' ? judgement.claim.machine : {};
  return {
    report,
    judgement,
    best: reports.claimTo(report.spec.uuid),
    owner: machines.byIndex('instance', report.spec.uuid)[0],
    namesake: machines.get(`${namespace}/${name}`),
    phase: phase(),
  };
}

/** How many guests are reported that bear marks of ours, and what is still to be done about them. */
export function guestsIn(context: Seen & Pick<ReportContext, 'wasAtHome'>): Guests {
  const all = context.reports.cache.list().map((report) => snapshotOf(context, report));
  const judged = all.flatMap(({ report, judgement }) => (judgement.kind === 'Nothing' ? [] : [{ report, judgement }]));
  const signed = judged.filter(
    ({ judgement }) => judgement.kind === 'Claim' || judgement.reason !== 'SignatureInvalid',
  );
  const byHypervisor = new Map<string, number>();
  for (const { report } of judged) {
    const { nodeName } = report.spec;
    byHypervisor.set(nodeName, (byHypervisor.get(nodeName) ?? 0) + 1);
  }
  return {
    unsettled: all.filter(isUnsettled).length,
    marked: judged.length,
    signed: signed.length,
    astray: context.reports
      .astray()
      .filter((report) => !isCopy(context, report))
      .map(({ metadata }) => metadata.name),
    atHome: all.flatMap(({ report, best }) => (best?.up === true ? [report.spec.uuid] : [])),
    byHypervisor,
  };
}

/** Whose guest it would be was found where it belongs, and its VM has it there. */
function isCopy(
  { wasAtHome, machines }: Pick<ReportContext, 'wasAtHome' | 'machines'>,
  { spec }: DomainReport,
): boolean {
  const owner = machines.byIndex('instance', spec.uuid)[0];
  return wasAtHome(spec.uuid) && owner !== undefined && mayBeUp(owner);
}

/** Its status follows: the VM takes its guest as it is. */
async function create(context: ReportContext, claim: Claim, signal: AbortSignal): Promise<void> {
  const { machine, report } = claim;
  const { namespace, name, uuid, requester, spec } = machine;
  const annotations = {
    [INSTANCE_UUID_ANNOTATION]: uuid,
    ...(requester === '' ? {} : { [REQUESTER_ANNOTATION]: requester }),
  };
  const object = {
    apiVersion: API_VERSION,
    kind: 'VirtualMachine',
    metadata: { namespace, name, annotations },
    spec,
  } as const;
  context.logger.info('Create', { vm: `${namespace}/${name}`, uuid, report: report.metadata.name });
  try {
    await inNamespace(context, namespace, signal, async () => {
      await context.store.create(virtualMachineResource, object, signal);
    });
  } catch (error) {
    if (isKubeError(error, 'AlreadyExists')) return;
    if (!isKubeError(error, 'Invalid', 'Forbidden')) throw error;
    await tell(context, report, notAccepted(claim, error), signal);
  }
}

function notAccepted({ machine }: Claim, { message }: KubeError): Word {
  const what = `The API server does not take VirtualMachine ${machine.namespace}/${machine.name} as it was granted`;
  return { outcome: 'Refused', reason: NOT_ACCEPTED, message: `${what}: ${message}. Write it again yourself.` };
}

/** Namespaces were lost with all else. */
async function inNamespace(
  { store, logger }: ReportContext,
  name: string,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isKubeError(error, 'NotFound')) throw error;
    logger.info('Create', { namespace: name });
    await store.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, signal);
    await work();
  }
}
