import { expect } from 'chai';
import { FAULT, LibvirtFault } from './faults.ts';

describe('what libvirt says', () => {
  const cases: [said: string, quoted: string][] = [
    ['no such file', 'no such file'],
    ['qemu: cannot set MSR 0x10a\nqemu: kvm.c:3: failed.\n', 'qemu: cannot set MSR 0x10a; qemu: kvm.c:3: failed'],
    ['', 'libvirt error 1'],
  ];
  for (const [said, quoted] of cases) {
    it(`is quoted in one line, without its full stop: ${quoted}`, () => {
      expect(new LibvirtFault(FAULT.internalError, said).message).to.equal(quoted);
    });
  }
});
