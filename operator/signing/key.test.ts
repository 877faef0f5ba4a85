import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { generateSigningKey, signerFrom } from './key.ts';

describe('the signing key', () => {
  const signer = signerFrom(generateSigningKey());

  it('signs text in the length that the schema holds, the same each time', () => {
    const signature = signer.sign('text');
    expect(signature).to.match(/^[A-Za-z0-9+/]{86}==$/);
    expect(signer.sign('text')).to.equal(signature);
  });

  it('knows its own signatures', () => {
    expect(signer.verify('täxt', signer.sign('täxt'))).to.equal(true);
  });

  it('knows no other text, no other key and no nonsense', () => {
    const other = signerFrom(generateSigningKey());
    expect(signer.verify('other', signer.sign('text'))).to.equal(false);
    expect(other.verify('text', signer.sign('text'))).to.equal(false);
    for (const nonsense of ['', 'AAAA', 'no base64 at all!']) expect(signer.verify('text', nonsense)).to.equal(false);
  });

  it('refuses a key of another kind, saying which is needed', () => {
    const pem = generateKeyPairSync('x25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    expect(() => signerFrom(pem)).to.throw(
      TypeError,
      'the signing key is of type x25519: an Ed25519 key in PKCS #8 PEM is needed',
    );
  });

  it('refuses what is no key at all, saying which is needed', () => {
    for (const text of ['', 'no key', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n']) {
      expect(() => signerFrom(text)).to.throw(TypeError, 'an Ed25519 key in PKCS #8 PEM is needed');
    }
  });
});
