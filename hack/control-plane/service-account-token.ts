// Tokens as a pod would get them, from the API server's own TokenRequest.

import { type ApiAccess, apiRequest } from './api-request.ts';

export interface TokenSubject {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** At least 600; an hour unless given. */
  readonly expirationSeconds?: number;
}

/** A token of an existing service account. */
export function serviceAccountToken(access: ApiAccess, subject: TokenSubject): Promise<string> {
  return requestToken(access, subject, {});
}

/**
 * A token of an existing service account that also carries the name and uid of an existing Node, as the token of a pod
 * on that node would: admission policies see them as the user's extra `authentication.kubernetes.io/node-name`. The
 * token ends with the Node object.
 */
export async function nodeBoundToken(access: ApiAccess, subject: TokenSubject & { node: string }): Promise<string> {
  const path = `/api/v1/nodes/${subject.node}`;
  const node = await apiRequest<{ metadata: { uid: string } }>(access, { method: 'GET', path });
  const boundObjectRef = { apiVersion: 'v1', kind: 'Node', name: subject.node, uid: node.metadata.uid };
  return requestToken(access, subject, { boundObjectRef });
}

async function requestToken(access: ApiAccess, subject: TokenSubject, bound: object): Promise<string> {
  const { namespace, serviceAccount, expirationSeconds = 3600 } = subject;
  const answer = await apiRequest<{ status: { token: string } }>(access, {
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccount}/token`,
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds, ...bound } },
  });
  return answer.status.token;
}
