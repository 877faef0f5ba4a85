import { expect } from 'chai';
import { ADOPTED_FROM_ANNOTATION, INSTANCE_UUID_ANNOTATION } from '#crds/v1alpha1/names.ts';
import { virtualMachineKind } from '#crds/v1alpha1/virtual-machine.ts';
import { validatorFor } from '#crds/validate.ts';
import { FOUND, foreignGuest, foreignReport } from '#test/builders/foreign-guest.ts';
import { TIME } from '#test/builders/time.ts';
import { uuidFor } from '#test/builders/uuid.ts';
import { newMachine } from '#test/builders/virtual-machine.ts';
import type { Guest } from './faults.ts';
import { adoptedMachine } from './machine.ts';
import { type Adoption, adoptedName, isMeant } from './names.ts';
import { planForeign } from './plan.ts';

const RULE: Adoption = { mode: 'Adopt', nameSuffix: '.usher', namespace: 'team' };
const now = Date.parse(TIME);

function planned(changes: Partial<Guest> = {}, adoption: Adoption | undefined = RULE): string {
  const plan = planForeign({ ...foreignGuest(changes), adoption, now });
  return plan.kind === 'Tell' ? `${plan.word.outcome} ${plan.word.reason}` : plan.kind;
}

const withVerdict = (reason: string, time: string) => {
  const verdict = { outcome: 'Refused', reason, message: '', time } as const;
  return { report: foreignReport({}, { verdict }) };
};

describe('a report of a guest that somebody else made', () => {
  it('makes a VirtualMachine where a rule of its hypervisor means it', () => {
    expect(planned()).to.equal('Adopt');
    expect(planned({}, { mode: 'Adopt', nameRegex: '[a-z]+\\.usher', namespace: 'team' })).to.equal('Adopt');
  });

  const left: Record<string, [said: string, changes: Partial<Guest>, adoption?: Adoption]> = {
    'no rule means it': ['LeftAlone NotAskedFor', { report: foreignReport({ name: 'web' }) }],
    'its hypervisor only reports': ['LeftAlone NotAskedFor', {}, { ...RULE, mode: 'Report' }],
    'the rule is no regular expression': [
      'Refused InvalidRule',
      {},
      { mode: 'Adopt', nameRegex: '(', namespace: 'team' },
    ],
    'Usher has let go of it': ['LeftAlone Released', { report: foreignReport({ released: true }) }],
    'it bears marks of another': [
      'Refused BearsMarks',
      {
        report: foreignReport(
          {},
          { marks: { namespace: '', name: '', uid: '', epoch: 1, payload: '', signature: '' } },
        ),
      },
    ],
    'a VM cannot say what it is': [
      'Refused NotAdoptable',
      { report: foreignReport({}, { found: { ...FOUND, obstacles: [{ field: 'a', message: 'b' }] } }) },
    ],
    'its name is none for a VM': ['Refused InvalidName', { name: 'Web Server' }],
    'its name is taken': ['Refused NameTaken', { namesake: newMachine() }],
    'a VM has its uuid': ['Refused UuidTaken', { owner: newMachine() }],
    'another hypervisor reports it too': ['Refused ReportedTwice', { elsewhere: ['hv2'] }],
    'its hypervisor was not accepted': ['Waiting HypervisorNotAccepted', { accepted: false }],
    'the site is on hold': ['Waiting OnHold', { onHold: true }],
    'it is going down': ['Waiting InBetween', { report: foreignReport({ powerState: 'ShuttingDown' }) }],
    'the API server has just refused it': ['Nothing', withVerdict('NotAccepted', TIME)],
  };
  for (const [why, [said, changes, adoption]] of Object.entries(left)) {
    it(`makes none where ${why}`, () => {
      expect(planned(changes, adoption)).to.equal(said);
    });
  }

  it('says that it is being adopted where its VM is there, and tries again what was refused a while ago', () => {
    const annotations = { [ADOPTED_FROM_ANNOTATION]: 'hv1', [INSTANCE_UUID_ANNOTATION]: uuidFor('web.usher') };
    expect(planned({ owner: newMachine({ metadata: { annotations } }) })).to.equal('Waiting BeingAdopted');
    expect(planned(withVerdict('NamespaceMissing', new Date(now - 61_000).toISOString()))).to.equal('Adopt');
  });

  it('makes one that the API takes, and that Usher does nothing to unasked', () => {
    const vm = adoptedMachine({ report: foreignReport({ powerState: 'Paused' }), namespace: 'team', name: 'web' });
    const validate = validatorFor(virtualMachineKind);
    expect(validate(vm)).to.have.property('valid', true);
    expect(vm.spec).to.include({ powerState: 'Paused', restartPolicy: 'Never', deletionPolicy: 'Release' });
    expect(vm.spec.resources).to.deep.equal({ cpus: 2, memory: '1Gi' });
  });

  it('is named by its domain without the suffix, and meant by the whole of its name', () => {
    expect(adoptedName('web.usher', RULE)).to.equal('web');
    expect(adoptedName('web', RULE)).to.equal('web');
    expect(isMeant('web-1', { mode: 'Adopt', nameRegex: 'web' })).to.equal(false);
  });
});
