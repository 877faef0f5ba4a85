import { expect } from 'chai';
import { isDriverError } from './errors.ts';
import { migrationAddressFault, parseTarget } from './migration-address.ts';

const OWN = 'qemu+tls://kvm1.example.org/system';

describe('an address for migrations', () => {
  for (const address of [
    OWN,
    'qemu+tcp://10.78.1.1/system',
    'qemu+tls://kvm1.example.org:16514/system',
    'qemu+tls://[fd00::1]/system',
  ]) {
    it(`is ${address}`, () => expect(migrationAddressFault(address)).to.equal(undefined));
  }

  for (const address of [
    '',
    'kvm1',
    'qemu:///system',
    'qemu+ssh://root@kvm1/system',
    'qemu+unix:///system?socket=/run/libvirt/libvirt-sock',
    'qemu+tls://kvm1/session',
    'qemu+tls://kvm1/system?no_verify=1',
    'qemu+tls://kvm1/system?pkipath=/tmp',
    'qemu+tls:///system',
  ]) {
    it(`is not '${address}', for which it says what would be one`, () =>
      expect(migrationAddressFault(address)).to.include('for example qemu+tls://'));
  }
});

describe('where a guest is sent', () => {
  const refusal = (text: string, own = OWN) => {
    try {
      parseTarget(text, own);
      return 'none';
    } catch (error) {
      return isDriverError(error, 'Invalid') ? error.message : String(error);
    }
  };

  it('is where it is received in the same way', () => {
    expect(parseTarget('qemu+tls://kvm2:16514/system', OWN)).to.deep.equal({ transport: 'tls', host: 'kvm2' });
    expect(parseTarget('qemu+tcp://[fd00::2]/system', 'qemu+tcp://a/system').host).to.equal('[fd00::2]');
  });

  it('is never where nothing is encrypted, by one who encrypts', () => {
    expect(refusal('qemu+tcp://kvm2/system')).to.match(/is reached by tcp; .* by tls/);
  });

  it('is no address of another kind', () => {
    expect(refusal('file:///etc/passwd')).to.match(/is no address for migrations: it must be qemu\+tls/);
    expect(refusal('qemu+tls://kvm2/system?no_verify=1')).to.match(/no address/);
  });
});
