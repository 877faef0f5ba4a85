// Where the signing key lives: a Secret that the first operator makes. It is one of the two things a site backs up.
import { SYSTEM_NAMESPACE } from '#crds/v1alpha1/names.ts';
import { isKubeError } from '#runtime/kube/errors.ts';
import type { KubeObject, ResourceType } from '#runtime/kube/resource.ts';
import type { KubeStore } from '#runtime/kube/store.ts';
import { generateSigningKey, type Signer, signerFrom } from './key.ts';

interface Secret extends KubeObject {
  type?: string;
  data?: Record<string, string>;
}

const SECRETS: ResourceType<Secret> = { apiVersion: 'v1', kind: 'Secret', plural: 'secrets', namespaced: true };
const KEY = { namespace: SYSTEM_NAMESPACE, name: 'usher-signing-key' };
const FIELD = 'ed25519.pem';

/** The site's signer; makes the key where there is none. Rejects where the Secret holds something else, naming it. */
export async function loadSigner(store: KubeStore, signal: AbortSignal): Promise<Signer> {
  const secret = (await existing(store, signal)) ?? (await created(store, signal));
  const pem = secret.data?.[FIELD];
  if (pem === undefined) {
    throw new Error(
      `Secret ${KEY.namespace}/${KEY.name} has no field ${FIELD}: put the site's Ed25519 key there, or delete the Secret of a site that is new`,
    );
  }
  return signerFrom(Buffer.from(pem, 'base64').toString());
}

async function existing(store: KubeStore, signal: AbortSignal): Promise<Secret | undefined> {
  try {
    return await store.get(SECRETS, KEY, signal);
  } catch (error) {
    if (isKubeError(error, 'NotFound')) return undefined;
    throw error;
  }
}

async function created(store: KubeStore, signal: AbortSignal): Promise<Secret> {
  const data = { [FIELD]: Buffer.from(generateSigningKey()).toString('base64') };
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { ...KEY }, type: 'Opaque', data };
  try {
    return await store.create(SECRETS, secret, signal);
  } catch (error) {
    // Another operator was faster: its key is the site's.
    if (isKubeError(error, 'AlreadyExists')) return store.get(SECRETS, KEY, signal);
    throw error;
  }
}
