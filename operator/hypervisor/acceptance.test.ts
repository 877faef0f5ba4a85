import { expect } from 'chai';
import { findCondition } from '#crds/conditions.ts';
import type { Hypervisor } from '#crds/v1alpha1/hypervisor.ts';
import { condition } from '#test/builders/condition.ts';
import { hypervisor } from '#test/builders/hypervisor.ts';
import { TIME } from '#test/builders/time.ts';
import { acceptanceFault, acceptanceRule } from './acceptance.ts';
import { planHypervisor } from './plan.ts';
import { statusAfter } from './status.ts';

const JOINING = hypervisor({ metadata: { name: 'kvm2' }, status: { conditions: [] } });

/** The hypervisor after what the operator says of it under this rule. */
function under(rule: string, given: Hypervisor = JOINING): Hypervisor {
  const plan = planHypervisor({
    hypervisor: given,
    silentSince: undefined,
    hold: undefined,
    acceptance: acceptanceRule(rule),
  });
  return { ...given, status: statusAfter(plan, given, TIME) };
}

function told({ status }: Hypervisor): string {
  return ['Accepted', 'Schedulable']
    .map((type) => findCondition(status?.conditions, type))
    .map((said) => `${said?.status} ${said?.reason}`)
    .join(', ');
}

function ruled(given: Hypervisor, accepted: boolean): Hypervisor {
  return { ...given, spec: { ...given.spec, accepted } };
}

describe('a hypervisor that joins', () => {
  it('is accepted at once where the site says nothing', () => {
    expect(told(under('Automatic'))).to.equal('True Allowed, True Open');
  });

  it('waits for an administrator where the site says so, and is told how', () => {
    const waiting = under('Manual');
    expect(told(waiting)).to.equal('False AwaitingAcceptance, False NotAccepted');
    expect(findCondition(waiting.status?.conditions, 'Accepted')?.message).to.include(
      `kubectl patch uhv kvm2 --type=merge --patch '{"spec":{"accepted":true}}'`,
    );
  });

  it('is accepted by its name where the site has listed it, and waits where not', () => {
    expect(told(under('kvm{1-4}'))).to.equal('True AllowedByName, True Open');
    expect(told(under('kvm1,kvm3'))).to.equal('False AwaitingAcceptance, False NotAccepted');
    expect(told(under('/kvm[0-9]+/'))).to.equal('True AllowedByName, True Open');
  });

  it('is accepted or rejected by hand whatever the rule says', () => {
    expect(told(under('Manual', ruled(JOINING, true)))).to.equal('True AcceptedByHand, True Open');
    expect(told(under('Automatic', ruled(JOINING, false)))).to.equal('False Rejected, False NotAccepted');
  });
});

describe('a hypervisor that has joined', () => {
  it('stays accepted when the rule changes, or the hand that accepted it is withdrawn', () => {
    expect(told(under('Manual', under('Automatic')))).to.equal('True Allowed, True Open');
    const { accepted: _withdrawn, ...spec } = ruled(JOINING, true).spec;
    expect(told(under('Manual', { ...under('Manual', ruled(JOINING, true)), spec }))).to.match(/^True AcceptedByHand/);
  });

  it('is rejected by hand all the same, and has to be accepted again', () => {
    const rejected = under('Manual', ruled(under('Automatic'), false));
    expect(told(rejected)).to.equal('False Rejected, False NotAccepted');
    const { accepted: _withdrawn, ...spec } = rejected.spec;
    expect(told(under('Manual', { ...rejected, spec }))).to.equal('False AwaitingAcceptance, False NotAccepted');
  });

  it('says so of every spec, and no more once that is said', () => {
    const waiting = under('Manual');
    const plan = (given: Hypervisor) =>
      planHypervisor({
        hypervisor: given,
        silentSince: undefined,
        hold: undefined,
        acceptance: acceptanceRule('Manual'),
      }).conditions;
    expect(plan(waiting)).to.deep.equal([]);
    const edited = { ...waiting, metadata: { ...waiting.metadata, generation: 2 } };
    expect(plan(edited).map(({ type }) => type)).to.deep.equal(['Accepted', 'Schedulable']);
  });

  it('stays accepted where a version before this said so', () => {
    const said = condition('Accepted', 'True', { reason: 'Allowed', message: 'As 0.2 said.', observedGeneration: 1 });
    expect(told(under('Manual', hypervisor({ status: { conditions: [said] } })))).to.equal('True Allowed, True Open');
  });
});

describe('the rule of acceptance', () => {
  it('is refused where it is no rule, in words that say what to write', () => {
    expect(acceptanceFault('Automatic')).to.equal(undefined);
    expect(acceptanceFault('Manual')).to.equal(undefined);
    expect(acceptanceFault('kvm{1-20}.example.org,spare')).to.equal(undefined);
    expect(acceptanceFault('manual')).to.equal('must be written Manual');
    expect(acceptanceFault('AUTOMATIC')).to.equal('must be written Automatic');
    expect(acceptanceFault('kvm{1-')).to.match(/^must be Automatic, Manual or a set of names .*: at character \d+: /);
    expect(acceptanceFault('')).to.match(/^must be Automatic, Manual or a set/);
  });
});
