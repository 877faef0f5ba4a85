import { expect } from 'chai';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { ObjectCache } from '#runtime/reflector/object-cache.ts';
import { claimOn } from '#test/builders/claim.ts';
import { domainReport } from '#test/builders/domain-report.ts';
import { newMachine, placedMachine, runningMachine } from '#test/builders/virtual-machine.ts';
import { guestsIn } from './reconcile.ts';
import { Reports, reportIndexes } from './reports.ts';

const claim = claimOn('hv1', newMachine());
const { uuid } = claim.report.spec;

/** What is found where hv2 reports a guest, running, with what was signed for hv1, which reports nothing any more. */
function astray(owner: VirtualMachine | undefined, wasAtHome: boolean): readonly string[] {
  const reports = new ObjectCache(reportIndexes);
  reports.put(domainReport('hv2', uuid, claim.report.status));
  const machines = new ObjectCache({ instance: (vm: VirtualMachine) => [vm.metadata.uid] });
  if (owner !== undefined) machines.put(owner);
  return guestsIn({
    reports: new Reports(reports, () => true),
    machines,
    phase: () => 'Recreating',
    wasAtHome: (asked) => wasAtHome && asked === uuid,
  }).astray;
}

describe('a guest that another hypervisor claims to have', () => {
  const hv2 = [`hv2.${uuid}`];

  it('is a copy once its VM has the one that was found where it belongs', () => {
    expect(astray(runningMachine(), true)).to.deep.equal([]);
    expect(astray(placedMachine(), true), 'its daemon has yet to confirm it').to.deep.equal([]);
  });

  it('may be the guest itself where that was not found, or is not there any more', () => {
    expect(astray(runningMachine(), false)).to.deep.equal(hv2);
    expect(astray(undefined, true)).to.deep.equal(hv2);
    expect(astray(placedMachine({ instance: 'Missing' }), true)).to.deep.equal(hv2);
    expect(astray(placedMachine({ instance: 'Stopped' }), true)).to.deep.equal(hv2);
  });
});

describe('a guest that runs where it was signed for', () => {
  it('is at home, and one that is off is not', () => {
    const found = (up: boolean) => {
      const reports = new ObjectCache(reportIndexes);
      reports.put(claimOn('hv1', newMachine(), { up }).report);
      const machines = new ObjectCache({ instance: (vm: VirtualMachine) => [vm.metadata.uid] });
      const seen = { reports: new Reports(reports, () => true), machines, phase: () => undefined };
      return guestsIn({ ...seen, wasAtHome: () => false }).atHome;
    };
    expect([found(true), found(false)]).to.deep.equal([[uuid], []]);
  });
});
