// A site with the manifests of rights/ installed, and everybody who may ask it for something.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import { type ApiAccess, tokenAccess } from '#hack/control-plane/api-request.ts';
import { nodeBoundToken, serviceAccountToken } from '#hack/control-plane/service-account-token.ts';
import { REPOSITORY } from '#hack/repository.ts';
import type { OwnTestCluster } from '../harness.ts';
import { eventually, get, mergePatch, post, refused, remove, virtualMachine, virtualMachines } from './requests.ts';

/** The folder of the admission policies. */
export const ADMISSION = join(REPOSITORY, 'rights/admission');
const MANIFESTS = [join(REPOSITORY, 'crds/manifests'), join(REPOSITORY, 'rights/rbac'), ADMISSION];
const AUTHORIZATION = 'rbac.authorization.k8s.io';
const ROLE_BINDINGS = `/apis/${AUTHORIZATION}/v1/clusterrolebindings`;

export interface Site {
  /** In system:masters: the last resort. */
  readonly master: ApiAccess;
  readonly operator: ApiAccess;
  /** Of the nodes n1 and n2, by their tokens. */
  readonly daemon1: ApiAccess;
  readonly daemon2: ApiAccess;
  /** The daemons' service account, with a token bound to no node. */
  readonly unboundDaemon: ApiAccess;
  readonly victor: ApiAccess;
  readonly alice: ApiAccess;
  readonly adele: ApiAccess;
  readonly carol: ApiAccess;
}

/** People hold Kubernetes' own roles in all namespaces. Not even carol, whom RBAC refuses nothing, is in system:masters. */
const PEOPLE = { victor: 'view', alice: 'edit', adele: 'admin', carol: 'cluster-admin' };

/** Installs the manifests as their readers do, and returns when the policies are in force. */
export async function openSite(cluster: OwnTestCluster): Promise<Site> {
  const { access: master } = cluster;
  await kubectl(cluster, ['apply', '--server-side', ...MANIFESTS.flatMap((folder) => ['-f', folder])]);
  for (const name of ['n1', 'n2']) await post(master, '/api/v1/nodes', { metadata: { name } });
  for (const [name, role] of Object.entries(PEOPLE))
    await bindRole(master, name, role, { kind: 'User', name, apiGroup: AUTHORIZATION });
  const person = (name: keyof typeof PEOPLE) => impersonated(master, name);
  const people = { victor: person('victor'), alice: person('alice'), adele: person('adele'), carol: person('carol') };
  const site = { master, ...(await serviceAccounts(cluster)), ...people };
  await policiesInForce(site);
  return site;
}

async function serviceAccounts({ access, controlPlane }: OwnTestCluster) {
  const operator = { namespace: 'usher-system', serviceAccount: 'usher-operator' };
  const daemon = { namespace: 'usher-system', serviceAccount: 'usher-node-daemon' };
  const bearer = (token: string) => tokenAccess(controlPlane.url, String(access.tls.ca), token);
  return {
    operator: bearer(await serviceAccountToken(access, operator)),
    daemon1: bearer(await nodeBoundToken(access, { ...daemon, node: 'n1' })),
    daemon2: bearer(await nodeBoundToken(access, { ...daemon, node: 'n2' })),
    unboundDaemon: bearer(await serviceAccountToken(access, daemon)),
  };
}

function impersonated(access: ApiAccess, user: string): ApiAccess {
  return { ...access, headers: { ...access.headers, 'impersonate-user': user } };
}

function bindRole(access: ApiAccess, name: string, role: string, subject: object): Promise<unknown> {
  const roleRef = { apiGroup: AUTHORIZATION, kind: 'ClusterRole', name: role };
  return post(access, ROLE_BINDINGS, { metadata: { name }, roleRef, subjects: [subject] });
}

/**
 * The API server takes up policies in the background, in the order in which they were made, and mutates a new kind only
 * once it has read its published schema. So the mutating one and the last of the others stand for all.
 */
async function policiesInForce({ master, alice, carol }: Site): Promise<void> {
  const path = virtualMachines('default');
  await eventually(async () => {
    const probe = await post<VirtualMachine>(alice, `${path}?dryRun=All`, virtualMachine('probe'));
    expect(probe.metadata.finalizers).to.not.equal(undefined);
  });
  await post(master, path, virtualMachine('probe'));
  await eventually(() => refused(mergePatch(carol, `${path}/probe/status`, { status: { phase: 'Lost' } }), /not by/));
}

/** For the tests of the current suite: every right that RBAC can give to the daemons' service account. */
export function givingDaemonsAllRights(site: () => Site): void {
  const name = 'daemons-may-do-everything';
  const subject = { kind: 'ServiceAccount', namespace: 'usher-system', name: 'usher-node-daemon' };
  const secrets = '/api/v1/namespaces/usher-system/secrets';
  before(async () => {
    await bindRole(site().master, name, 'cluster-admin', subject);
    await eventually(() => get(site().daemon1, secrets));
  });
  after(async () => {
    await remove(site().master, `${ROLE_BINDINGS}/${name}`);
    await eventually(() => refused(get(site().daemon1, secrets), /cannot list/));
  });
}

/** Runs the kubectl of the control plane as its administrator, or as whom `--as` says, and returns what it prints. */
export async function kubectl(cluster: OwnTestCluster, args: readonly string[], input = ''): Promise<string> {
  const command = promisify(execFile)(cluster.controlPlane.kubectl, ['--kubeconfig', cluster.kubeconfig, ...args]);
  command.child.stdin?.end(input);
  return (await command).stdout;
}
