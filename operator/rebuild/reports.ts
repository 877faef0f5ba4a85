// All reports, each judged once: signatures take time, and many ask.

import { instanceUuid } from '#crds/derive/signed-payload.ts';
import type { DomainReport } from '#crds/v1alpha1/domain-report.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { ObjectReader } from '#runtime/reflector/object-cache.ts';
import { best, type Claim, isUp, type Judgement, judge, type Verify } from './claims.ts';

type Index = 'uuid' | 'machine';

/** By the guest, and by the VirtualMachine that it says it is of. */
export const reportIndexes = {
  uuid: ({ spec }: DomainReport) => [spec.uuid],
  machine: ({ status }: DomainReport) =>
    status?.marks === undefined ? [] : [`${status.marks.namespace}/${status.marks.name}`],
};

export class Reports {
  readonly cache: ObjectReader<DomainReport, Index>;
  readonly #verify: Verify;
  readonly #judged = new WeakMap<DomainReport, Judgement>();

  constructor(cache: ObjectReader<DomainReport, Index>, verify: Verify) {
    this.cache = cache;
    this.#verify = verify;
  }

  judge(report: DomainReport): Judgement {
    const known = this.#judged.get(report) ?? judge(report, this.#verify);
    this.#judged.set(report, known);
    return known;
  }

  /** The true claim to this guest; none where it may run on another hypervisor than the one that it was signed for. */
  claimTo(uuid: string): Claim | undefined {
    const reports = this.cache.byIndex('uuid', uuid);
    const claim = best(this.#claims(reports));
    return claim?.up === false && reports.some((report) => this.#mayRunAstray(report)) ? undefined : claim;
  }

  /**
   * Reports of guests that run where they were not signed for, and of which nothing runs where they were: such as moved
   * there while nobody heard of it. A node can make that up as well; neither is taken, and a person is asked.
   */
  astray(): DomainReport[] {
    return this.cache
      .list()
      .filter((report) => this.#mayRunAstray(report) && this.claimTo(report.spec.uuid) === undefined);
  }

  #mayRunAstray(report: DomainReport): boolean {
    const judgement = this.judge(report);
    const isElsewhere = judgement.kind === 'Refused' && judgement.reason === 'OfAnotherNode';
    return isElsewhere && isUp(report.status?.domain?.powerState ?? '');
  }

  /** The true claim to the guest of this VM, be it by its identity or, where it has had none yet, by its name. */
  claimFor(vm: VirtualMachine): Claim | undefined {
    const { namespace, name } = vm.metadata;
    return this.claimTo(instanceUuid(vm)) ?? this.#claimByName(`${namespace}/${name}`);
  }

  /** Several guests may once have had the name: none of them is it then. */
  #claimByName(key: string): Claim | undefined {
    const claims = this.#claims(this.cache.byIndex('machine', key)).filter(
      ({ machine }) => `${machine.namespace}/${machine.name}` === key,
    );
    const uuids = new Set(claims.map(({ machine }) => machine.uuid));
    const [only] = uuids;
    return uuids.size === 1 && only !== undefined ? this.claimTo(only) : undefined;
  }

  #claims(reports: readonly DomainReport[]): Claim[] {
    return reports.flatMap((report) => {
      const judgement = this.judge(report);
      return judgement.kind === 'Claim' ? [judgement.claim] : [];
    });
  }
}
