// What a hypervisor reports of a guest, and what the operator had signed for it.
import { readPayload, signedPayload } from '#crds/derive/signed-payload.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { Claim } from '#operator/rebuild/claims.ts';
import { domainReport } from './domain-report.ts';
import { uuidFor } from './uuid.ts';
import { grantedFor, placementOn } from './virtual-machine.ts';

/** The guest of this VM, running there as it is declared; under epoch 1 unless it says another. */
export function claimOn(hypervisor: string, vm: VirtualMachine, { epoch = 1, up = true } = {}): Claim {
  const payload = signedPayload(vm, grantedFor(vm), placementOn(hypervisor, { epoch }));
  const machine = readPayload(payload);
  if (machine === undefined) throw new TypeError('what is signed could not be read');
  const { uid, namespace, name } = vm.metadata;
  const powerState = up ? 'Running' : 'ShutOff';
  const report = domainReport(hypervisor, machine.uuid, {
    domain: {
      name: `${namespace}.${name}`,
      reason: 'Orphaned',
      powerState,
      cpus: 1,
      memory: '1Gi',
      bootID: uuidFor('boot'),
    },
    marks: { uid, namespace, name, epoch, payload, signature: 'signed' },
  });
  return { report, machine, epoch, up };
}
