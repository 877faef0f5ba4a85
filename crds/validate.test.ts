import { expect } from 'chai';
import { type VirtualMachine, virtualMachineKind } from './v1alpha1/virtual-machine.ts';
import { validatorFor } from './validate.ts';

const validate = validatorFor<VirtualMachine>(virtualMachineKind);

function manifest(spec: object = {}, rest: object = {}): object {
  return {
    apiVersion: 'usher.dev/v1alpha1',
    kind: 'VirtualMachine',
    metadata: { name: 'web', namespace: 'default' },
    spec: { resources: { cpus: 1, memory: '512Mi' }, boot: { kernel: { image: 'vmlinuz' } }, ...spec },
    ...rest,
  };
}

function errorsOf(object: unknown): string[] {
  const verdict = validate(object);
  return verdict.valid ? [] : verdict.errors;
}

function accepted(object: unknown): VirtualMachine {
  const verdict = validate(object);
  if (!verdict.valid) throw new Error(verdict.errors.join('\n'));
  return verdict.object;
}

describe('a validator', () => {
  it('gives the object back as the API server would store it', () => {
    const { spec, status } = accepted(manifest({ powerOff: { mode: 'Force' } }));
    expect(spec).to.deep.include({
      powerState: 'Running',
      restartPolicy: 'OnFailure',
      powerOff: { mode: 'Force', gracePeriodSeconds: 60 },
      recovery: { onLost: 'Hold', lostTimeoutSeconds: 300, onMissing: 'Hold' },
    });
    expect(status).to.deep.equal(virtualMachineKind.statusDefault);
  });

  it('takes null for a field that is left out', () => {
    expect(accepted(manifest({ powerState: null, disks: null })).spec).to.include({ powerState: 'Running' });
    expect(errorsOf(manifest({ boot: null }))[0]).to.match(/^spec\.boot: Required value: What the guest boots from/);
  });

  it('changes nothing of what it is given', () => {
    const object = manifest({ powerState: null });
    const before = structuredClone(object);
    validate(object);
    expect(object).to.deep.equal(before);
  });

  it('names every fault on a line of its own', () => {
    const resources = { cpus: 0, memory: '1GB', cores: 2 };
    expect(errorsOf(manifest({ resources, restartPolicy: 'Sometimes' }))).to.have.members([
      'spec.resources.cores: unknown field: known here are cpus, memory, cpuShares, cpuReservation, cpuLimit, memoryMinimum',
      'spec.resources.cpus: Invalid value: 0: should be greater than or equal to 1',
      'spec.resources.memory: Invalid value: "1GB": must be a number of bytes, or a number with one of the units Ki, Mi, Gi, Ti, Pi, k, M, G, T and P, for example 512Mi or 4Gi',
      'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
    ]);
  });

  it('tells the key of a map from the place in a list', () => {
    expect(errorsOf(manifest({ parameters: { '0': 1 } }))).to.deep.equal([
      'spec.parameters.0: Invalid value: 1: must be of type string',
    ]);
    expect(errorsOf(manifest({ placement: { preferredHypervisors: [1] } }))).to.deep.equal([
      'spec.placement.preferredHypervisors[0]: Invalid value: 1: must be of type string',
    ]);
  });

  it('refuses what is no object of its kind', () => {
    expect(errorsOf(manifest({}, { kind: 'Pod' }))).to.deep.equal([
      'kind: Unsupported value: "Pod": supported values: "VirtualMachine"',
    ]);
    expect(errorsOf('web')).to.deep.equal(['object: Invalid value: "web": must be of type object']);
    expect(errorsOf(undefined)).to.have.length(1);
  });

  it('shows a long value only in part', () => {
    const [line] = errorsOf(manifest({ boot: 'x'.repeat(1000) }));
    expect(line).to.have.length.below(150).and.to.include('xxx...');
  });

  it('knows which times there are', () => {
    const at = (time: string) =>
      errorsOf(
        manifest({}, { status: { lastTermination: { reason: 'Crashed', initiator: 'Guest', message: '', time } } }),
      );
    for (const time of ['2026-03-01T12:00:00Z', '2026-03-01t12:00:00.123z', '2028-02-29T23:59:59+01:00']) {
      expect(at(time), time).to.deep.equal([]);
    }
    for (const time of ['2026-03-01', '2026-02-30T12:00:00Z', '2026-03-01T24:00:00Z', '2026-03-01T12:00:00', '']) {
      expect(at(time), time).to.have.length(1);
    }
  });
});
