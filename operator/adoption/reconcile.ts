// One report of a guest that Usher did not make: look, decide, write once.
import { isConditionTrue } from '#crds/conditions.ts';
import type { DomainReport } from '#crds/v1alpha1/domain-report.ts';
import type { Hypervisor } from '#crds/v1alpha1/hypervisor.ts';
import { virtualMachineResource } from '#crds/v1alpha1/kinds.ts';
import type { ReportContext } from '#operator/rebuild/context.ts';
import { NOT_ACCEPTED, type Word } from '#operator/rebuild/plan.ts';
import { tell } from '#operator/rebuild/tell.ts';
import type { ReconcileResult } from '#runtime/controller/controller.ts';
import { isKubeError } from '#runtime/kube/errors.ts';
import type { Guest } from './faults.ts';
import { adoptedMachine } from './machine.ts';
import { adoptedName } from './names.ts';
import { type ForeignSnapshot, NAMESPACE_MISSING, planForeign } from './plan.ts';

/** Idempotent. Rejects with a KubeError; nothing is lost by calling it again. */
export async function reconcileForeign(
  context: ReportContext,
  report: DomainReport,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const snapshot = snapshotOf(context, report);
  const plan = planForeign(snapshot);
  switch (plan.kind) {
    case 'Nothing':
      return { again: plan.again };
    case 'Tell':
      await tell(context, report, plan.word, signal);
      return plan.again === undefined ? {} : { again: plan.again };
    case 'Adopt':
      await adopt(context, snapshot, signal);
      return {};
  }
}

function snapshotOf(context: ReportContext, report: DomainReport): ForeignSnapshot {
  const hypervisor = context.hypervisors.get(report.spec.nodeName);
  const adoption = hypervisor?.spec.adoption;
  return { ...guestOf(context, { report, hypervisor }, adoption?.namespace ?? ''), adoption, now: context.clock.now() };
}

export type GuestContext = Pick<ReportContext, 'reports' | 'machines' | 'hypervisors' | 'phase'>;

interface Reported {
  readonly report: DomainReport;
  readonly hypervisor: Hypervisor | undefined;
}

/** All that decides whether it can be adopted into this namespace. */
export function guestOf(context: GuestContext, { report, hypervisor }: Reported, namespace: string): Guest {
  const { uuid, nodeName } = report.spec;
  const name = adoptedName(report.status?.domain?.name ?? '', hypervisor?.spec.adoption);
  const others = context.reports.cache
    .byIndex('uuid', uuid)
    .filter(({ spec, status }) => spec.nodeName !== nodeName && status?.over !== true);
  return {
    report,
    name,
    namespace,
    accepted: isConditionTrue(hypervisor?.status?.conditions, 'Accepted') && hypervisor?.spec.accepted !== false,
    onHold: context.phase() !== undefined,
    elsewhere: others.map(({ spec }) => spec.nodeName),
    owner: context.machines.byIndex('instance', uuid)[0],
    namesake: context.machines.get(`${namespace}/${name}`),
  };
}

/** Its status follows: the VM takes its guest as it is. */
async function adopt(context: ReportContext, guest: ForeignSnapshot, signal: AbortSignal): Promise<void> {
  const { report, namespace, name } = guest;
  context.logger.info('Adopt', { vm: `${namespace}/${name}`, report: report.metadata.name });
  try {
    await context.store.create(virtualMachineResource, adoptedMachine({ report, namespace, name }), signal);
  } catch (error) {
    if (isKubeError(error, 'AlreadyExists')) return;
    if (isKubeError(error, 'NotFound')) return tell(context, report, namespaceMissing(namespace), signal);
    if (!isKubeError(error, 'Invalid', 'Forbidden')) throw error;
    const what = `The API server does not take VirtualMachine ${namespace}/${name} as the guest is`;
    const word = { outcome: 'Refused', reason: NOT_ACCEPTED, message: `${what}: ${error.message}` } as const;
    await tell(context, report, word, signal);
  }
}

function namespaceMissing(namespace: string): Word {
  const message = `There is no namespace ${namespace}, which spec.adoption.namespace of its hypervisor names: create it.`;
  return { outcome: 'Refused', reason: NAMESPACE_MISSING, message };
}
