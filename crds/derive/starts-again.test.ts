import { expect } from 'chai';
import { terminationReasons } from '#crds/v1alpha1/virtual-machine-status.ts';
import { startsAgain } from './starts-again.ts';

describe('a guest that ended and should run', () => {
  const again = {
    Always: [...terminationReasons],
    OnFailure: ['StoppedByRequest', 'ForcedByRequest', 'Crashed', 'HostRebooted'],
    Never: ['StoppedByRequest', 'ForcedByRequest'],
  } as const;

  for (const policy of ['Always', 'OnFailure', 'Never'] as const) {
    for (const reason of terminationReasons) {
      const starts = (again[policy] as readonly string[]).includes(reason);
      it(`${starts ? 'starts again' : 'stays off'} under ${policy} after ${reason}`, () => {
        expect(startsAgain(policy, reason)).to.equal(starts);
      });
    }
  }

  it('starts again only under Always where nobody knows that it ever ran', () => {
    expect((['Always', 'OnFailure', 'Never'] as const).map((policy) => startsAgain(policy, undefined))).to.deep.equal([
      true,
      false,
      false,
    ]);
  });
});
