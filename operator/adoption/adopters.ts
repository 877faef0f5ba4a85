// Which VM takes a foreign guest: one for each, however many were made for it.
import { instanceUuid } from '#crds/derive/signed-payload.ts';
import type { DomainReport } from '#crds/v1alpha1/domain-report.ts';
import { domainReportName } from '#crds/v1alpha1/domain-report.ts';
import { ADOPTED_FROM_ANNOTATION } from '#crds/v1alpha1/names.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { ObjectReader } from '#runtime/reflector/object-cache.ts';

/** The guest that a VM is to adopt, as its hypervisor reports it; or that another VM has it. */
export type ForeignGuest =
  | { readonly kind: 'Reported'; readonly report: DomainReport }
  | { readonly kind: 'OfAnother'; readonly key: string };

export class Adopters {
  readonly #machines: ObjectReader<VirtualMachine, 'instance'>;
  readonly #reports: ObjectReader<DomainReport>;
  /** uuid of a guest → uid of the VM that asked for it first. Who leads next reads what came of it. */
  readonly #first = new Map<string, string>();

  constructor(machines: ObjectReader<VirtualMachine, 'instance'>, reports: ObjectReader<DomainReport>) {
    this.#machines = machines;
    this.#reports = reports;
  }

  /** Undefined where it is to adopt none, or where its hypervisor reports none. */
  guestFor(vm: VirtualMachine): ForeignGuest | undefined {
    const { annotations, uid } = vm.metadata;
    const nodeName = annotations?.[ADOPTED_FROM_ANNOTATION];
    if (nodeName === undefined || vm.status?.placement !== undefined) return undefined;
    const uuid = instanceUuid(vm);
    const others = this.#machines.byIndex('instance', uuid).filter(({ metadata }) => metadata.uid !== uid);
    const other =
      others.find(({ status }) => status?.placement !== undefined) ??
      others.find(({ metadata }) => metadata.uid === this.#first.get(uuid));
    if (other !== undefined) return { kind: 'OfAnother', key: `${other.metadata.namespace}/${other.metadata.name}` };
    this.#first.set(uuid, uid);
    const report = this.#reports.get(domainReportName({ nodeName, uuid }));
    const isThere = report?.status?.domain?.reason === 'Foreign' && report.status.over !== true;
    return isThere ? { kind: 'Reported', report } : undefined;
  }
}
