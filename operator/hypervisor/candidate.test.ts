import { expect } from 'chai';
import { condition } from '#test/builders/condition.ts';
import { candidate, GIBIBYTE, hypervisor } from '#test/builders/hypervisor.ts';
import { TIME, timeAfter } from '#test/builders/time.ts';
import { candidateOf } from './candidate.ts';

const NOTHING = { assigned: { cpus: 0, memoryBytes: 0 }, disksInUse: new Map(), startsFail: false };
const HEARD = { silentSince: undefined, outageGraceLeft: undefined };

describe('a hypervisor as placement sees it', () => {
  it('is open where it was accepted, is heard and answers', () => {
    expect(candidateOf(hypervisor(), HEARD, NOTHING)).to.deep.equal(candidate());
  });

  it('carries its labels, its cordon and what is assigned to it', () => {
    const given = hypervisor({ metadata: { labels: { disk: 'ssd' } }, spec: { unschedulable: true } });
    const held = { ...NOTHING, assigned: { cpus: 3, memoryBytes: GIBIBYTE } };
    expect(candidateOf(given, HEARD, held)).to.deep.include({
      labels: { disk: 'ssd' },
      unschedulable: true,
      ...held,
    });
  });

  it('is neither accepted nor has anything to give before anybody said so', () => {
    const { status: _none, ...fresh } = hypervisor();
    expect(candidateOf(fresh, HEARD, NOTHING)).to.deep.include({ accepted: false, allocatable: NOTHING.assigned });
  });

  it('is not reachable while its daemon is silent', () => {
    const since = timeAfter(-90);
    expect(candidateOf(hypervisor(), { ...HEARD, silentSince: since }, NOTHING).reachable).to.deep.equal({
      yes: false,
      code: 'Silent',
      why: `The daemon of hv1 has been silent since ${since}.`,
      brief: false,
    });
  });

  it('says nothing of what runs there before its daemon has reported, and then what it reports', () => {
    const at = (...conditions: ReturnType<typeof condition>[]) => {
      const { reachable } = candidateOf(hypervisor({ status: { conditions } }), HEARD, NOTHING);
      return reachable.yes ? 'reachable' : `${reachable.code}${reachable.brief ? ', for a moment' : ''}`;
    };
    const pending = condition('Ready', 'Unknown', { reason: 'Pending' });
    expect(at(pending, condition('Accepted', 'True'))).to.equal('NotReported, for a moment');
    expect(at(condition('Ready', 'True'), condition('DriverConnected', 'True'))).to.equal('reachable');
    expect(at(pending, condition('DriverConnected', 'False'))).to.equal('DriverDisconnected, for a moment');
  });

  it('counts as rejected as soon as that is written', () => {
    expect(candidateOf(hypervisor(), HEARD, NOTHING).accepted).to.equal(true);
    expect(candidateOf(hypervisor({ spec: { accepted: false } }), HEARD, NOTHING).accepted).to.equal(false);
  });

  it('is not reachable while its daemon cannot reach it', () => {
    const conditions = [condition('Accepted', 'True'), condition('DriverConnected', 'False')];
    const at = (outageGraceLeft: number | undefined) =>
      candidateOf(hypervisor({ status: { conditions } }), { ...HEARD, outageGraceLeft }, NOTHING).reachable;
    const outage = {
      yes: false,
      code: 'DriverDisconnected',
      why: `The hypervisor of hv1 has not answered its daemon since ${TIME}.`,
    };
    expect(at(0)).to.deep.equal({ ...outage, brief: false });
    expect([at(1), at(undefined)]).to.deep.equal([
      { ...outage, brief: true },
      { ...outage, brief: true },
    ]);
  });
});
