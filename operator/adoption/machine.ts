// The VirtualMachine of a foreign guest: what it is, and nothing more that Usher would do to it unasked.
import { powerStateFound, specFound } from '#crds/derive/adoption.ts';
import type { DomainReport } from '#crds/v1alpha1/domain-report.ts';
import { ADOPTED_FROM_ANNOTATION, API_VERSION, INSTANCE_UUID_ANNOTATION } from '#crds/v1alpha1/names.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { NewObject } from '#runtime/kube/store.ts';

interface Adopting {
  readonly report: DomainReport;
  readonly namespace: string;
  readonly name: string;
  /** Who asked, and by which operation. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Nobody restarts it by itself, and who deletes it lets go of it: until somebody declares otherwise. Pure. */
export function adoptedMachine({ report, namespace, name, annotations = {} }: Adopting): NewObject<VirtualMachine> {
  const { spec, status } = report;
  if (status?.domain === undefined || status.found === undefined) throw new Error('adopted without having been read');
  const ours = { [INSTANCE_UUID_ANNOTATION]: spec.uuid, [ADOPTED_FROM_ANNOTATION]: spec.nodeName };
  return {
    apiVersion: API_VERSION,
    kind: 'VirtualMachine',
    metadata: { namespace, name, annotations: { ...annotations, ...ours } },
    spec: {
      powerState: powerStateFound(status.domain.powerState) ?? 'Stopped',
      ...specFound(status.domain, status.found),
      placement: { preferredHypervisors: [spec.nodeName] },
      restartPolicy: 'Never',
      deletionPolicy: 'Release',
      powerOff: { mode: 'GracefulThenForce', gracePeriodSeconds: 60 },
      recovery: { onLost: 'Hold', lostTimeoutSeconds: 300, onMissing: 'Hold' },
    },
  };
}
