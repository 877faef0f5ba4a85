import { expect } from 'chai';
import { condition } from '#test/builders/condition.ts';
import { candidate, GIBIBYTE, hypervisor } from '#test/builders/hypervisor.ts';
import { TIME, timeAfter } from '#test/builders/time.ts';
import { candidateOf } from './candidate.ts';

const NOTHING = { cpus: 0, memoryBytes: 0 };

describe('a hypervisor as placement sees it', () => {
  it('is open where it was accepted, is heard and answers', () => {
    expect(candidateOf(hypervisor(), undefined, NOTHING)).to.deep.equal(candidate());
  });

  it('carries its labels, its cordon and what is assigned to it', () => {
    const given = hypervisor({ metadata: { labels: { disk: 'ssd' } }, spec: { unschedulable: true } });
    const assigned = { cpus: 3, memoryBytes: GIBIBYTE };
    expect(candidateOf(given, undefined, assigned)).to.deep.include({
      labels: { disk: 'ssd' },
      unschedulable: true,
      assigned,
    });
  });

  it('is neither accepted nor has anything to give before anybody said so', () => {
    const { status: _none, ...fresh } = hypervisor();
    expect(candidateOf(fresh, undefined, NOTHING)).to.deep.include({ accepted: false, allocatable: NOTHING });
  });

  it('is not reachable while its daemon is silent', () => {
    const since = timeAfter(-90);
    expect(candidateOf(hypervisor(), since, NOTHING).reachable).to.deep.equal({
      yes: false,
      code: 'Silent',
      why: `The daemon of hv1 has been silent since ${since}.`,
    });
  });

  it('is not reachable while its daemon cannot reach it', () => {
    const conditions = [condition('Accepted', 'True'), condition('DriverConnected', 'False')];
    expect(candidateOf(hypervisor({ status: { conditions } }), undefined, NOTHING).reachable).to.deep.equal({
      yes: false,
      code: 'DriverDisconnected',
      why: `The daemon of hv1 cannot reach its hypervisor since ${TIME}.`,
    });
  });
});
