import { expect } from 'chai';
import { ObjectCache } from '#runtime/reflector/object-cache.ts';
import { claimOn } from '#test/builders/claim.ts';
import { domainReport } from '#test/builders/domain-report.ts';
import { newMachine } from '#test/builders/virtual-machine.ts';
import type { Claim } from './claims.ts';
import { Reports, reportIndexes } from './reports.ts';

const vm = newMachine();

function reportsWith(...claims: Pick<Claim, 'report'>[]): Reports {
  const cache = new ObjectCache(reportIndexes);
  claims.forEach(({ report }) => cache.put(report));
  return new Reports(cache, (_payload, signature) => signature === 'signed');
}

/** hv2 reports a guest that bears what was signed for hv1. */
function astray(claim: Claim): Pick<Claim, 'report'> {
  const { spec, status } = claim.report;
  return { report: domainReport('hv2', spec.uuid, status) };
}

describe('a guest that is reported where it was not signed for', () => {
  const [up, off] = [claimOn('hv1', vm), claimOn('hv1', vm, { up: false })];
  const told = (reports: Reports) => [
    reports.claimTo(vm.metadata.uid)?.report.spec.nodeName,
    reports.claimFor(vm)?.report.spec.nodeName,
    ...reports.astray().map(({ metadata }) => metadata.name),
  ];

  it('is no matter where it runs where it was signed for: whatever that is, it is a copy', () => {
    expect(told(reportsWith(up, astray(up)))).to.deep.equal(['hv1', 'hv1']);
  });

  it('may be the guest itself where that is off: nothing is taken', () => {
    const name = `hv2.${vm.metadata.uid}`;
    expect(told(reportsWith(off, astray(up)))).to.deep.equal([undefined, undefined, name]);
  });

  it('may be the guest itself where nobody else reports that', () => {
    expect(told(reportsWith(astray(up)))).to.deep.equal([undefined, undefined, `hv2.${vm.metadata.uid}`]);
  });

  it('is no matter where both are off, or where a later one was signed', () => {
    expect(told(reportsWith(off, astray(off)))).to.deep.equal(['hv1', 'hv1']);
    expect(told(reportsWith(claimOn('hv3', vm, { epoch: 2 }), astray(up)))).to.deep.equal(['hv3', 'hv3']);
  });
});
