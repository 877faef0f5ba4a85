import { expect } from 'chai';
import { runsGuestsAsRoot } from './guest-user.ts';

/** As libvirt 9.0 writes it. */
function capabilities(label: string): string {
  return `<capabilities><host>
    <secmodel><model>none</model><doi>0</doi></secmodel>
    <secmodel>
      <model>dac</model>
      <doi>0</doi>
      <baselabel type='kvm'>${label}</baselabel>
      <baselabel type='qemu'>${label}</baselabel>
    </secmodel>
  </host></capabilities>`;
}

describe('as whom guests run', () => {
  for (const [label, asRoot] of [
    ['+0:+0', true],
    ['+0:+107', true],
    ['+64055:+0', true],
    ['+64055:+64055', false],
    ['+100:+10', false],
  ] as const) {
    it(`${label} is ${asRoot ? '' : 'not '}root`, () => {
      expect(runsGuestsAsRoot(capabilities(label))).to.equal(asRoot);
    });
  }

  it('is not taken for root where libvirt does not say', () => {
    expect(runsGuestsAsRoot('<capabilities><host/></capabilities>')).to.equal(false);
  });
});
