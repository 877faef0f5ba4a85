// The operator's key. Whoever has it can make a site believe that a guest belongs to it, so it never leaves the operator.
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';

/** A new Ed25519 private key, PKCS #8 in PEM. */
export function generateSigningKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

export interface Signer {
  /** Base64 of the Ed25519 signature (RFC 8032) over the UTF-8 bytes of the text. */
  sign(text: string): string;
  verify(text: string, signature: string): boolean;
}

/** Throws where the PEM holds no Ed25519 private key, saying so. */
export function signerFrom(pem: string): Signer {
  const key = ed25519From(pem);
  const publicKey = createPublicKey(key);
  return {
    sign: (text) => sign(null, Buffer.from(text), key).toString('base64'),
    verify: (text, signature) => verify(null, Buffer.from(text), publicKey, Buffer.from(signature, 'base64')),
  };
}

const NEEDED = 'an Ed25519 key in PKCS #8 PEM is needed';

function ed25519From(pem: string): KeyObject {
  const key = privateKeyFrom(pem);
  if (key.asymmetricKeyType !== 'ed25519')
    throw new TypeError(`the signing key is of type ${key.asymmetricKeyType}: ${NEEDED}`);
  return key;
}

function privateKeyFrom(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new TypeError(`the signing key cannot be read: ${NEEDED}`, { cause });
  }
}
