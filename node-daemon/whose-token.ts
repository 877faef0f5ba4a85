// Whose token the daemon was given, as the API server knows it: with that of another node nothing it writes is taken.
import { NODE_DAEMON_SERVICE_ACCOUNT, SYSTEM_NAMESPACE } from '#crds/v1alpha1/names.ts';
import { isKubeError } from '#runtime/kube/errors.ts';
import type { KubeObject, ResourceType } from '#runtime/kube/resource.ts';
import type { KubeStore } from '#runtime/kube/store.ts';
import { OptionsError } from '#runtime/process/options.ts';
import { type Patience, persevere } from '#runtime/process/persevere.ts';

interface SelfSubjectReview extends KubeObject {
  readonly status?: {
    readonly userInfo: {
      readonly username: string;
      readonly extra?: Readonly<Record<string, readonly string[]>>;
    };
  };
}

const REVIEWS: ResourceType<SelfSubjectReview> = {
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'SelfSubjectReview',
  plural: 'selfsubjectreviews',
  namespaced: false,
};
const DAEMON = `system:serviceaccount:${SYSTEM_NAMESPACE}:${NODE_DAEMON_SERVICE_ACCOUNT}`;
const NODE_NAME = 'authentication.kubernetes.io/node-name';

export interface TokenCheck extends Patience {
  readonly store: KubeStore;
  readonly nodeName: string;
}

/** Rejects with an OptionsError where the token is a daemon's, and not that of this node. */
export async function checkToken(check: TokenCheck, signal: AbortSignal): Promise<void> {
  const until = 'the API server says whose token this is';
  const fault = await persevere({ ...check, until }, async (limited) => faultOf(check, limited), signal);
  if (fault !== undefined) throw new OptionsError([fault]);
}

async function faultOf({ store, nodeName }: TokenCheck, signal: AbortSignal): Promise<string | undefined> {
  const { userInfo } = (await review(store, signal)).status ?? {};
  if (userInfo?.username !== DAEMON) return undefined;
  const node = userInfo.extra?.[NODE_NAME]?.[0];
  if (node === nodeName) return undefined;
  if (node !== undefined) {
    return `--node-name is ${nodeName}, and the token of the kubeconfig is that of the node ${node}: give this machine a name and a token of its own`;
  }
  return (
    'the token of the kubeconfig names no node: make one with kubectl create token ' +
    `${NODE_DAEMON_SERVICE_ACCOUNT} --namespace ${SYSTEM_NAMESPACE} --bound-object-kind Node --bound-object-name ${nodeName}`
  );
}

/** An API server that does not tell, or not us, will say so at the first write. */
async function review(store: KubeStore, signal: AbortSignal): Promise<SelfSubjectReview> {
  const { apiVersion, kind } = REVIEWS;
  const asked = { apiVersion, kind, metadata: { name: 'me' } };
  try {
    return await store.create(REVIEWS, asked, signal);
  } catch (error) {
    if (isKubeError(error, 'NotFound', 'Forbidden')) return asked;
    throw error;
  }
}
