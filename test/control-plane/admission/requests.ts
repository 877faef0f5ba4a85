// The requests of the admission suites, and what becomes of them.

import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { type ApiAccess, ApiRequestError, apiRequest } from '#hack/control-plane/api-request.ts';

const USHER = '/apis/usher.dev/v1alpha1';

export const hypervisors = `${USHER}/hypervisors`;
export const domainReports = `${USHER}/domainreports`;
export const leases = (namespace: string) => `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
export const events = (namespace: string) => `/api/v1/namespaces/${namespace}/events`;
export const virtualMachines = (namespace: string) => `${USHER}/namespaces/${namespace}/virtualmachines`;

/** The least that the schema accepts. */
export function virtualMachine(name: string, metadata: object = {}) {
  return {
    apiVersion: 'usher.dev/v1alpha1',
    kind: 'VirtualMachine',
    metadata: { name, ...metadata },
    spec: { resources: { cpus: 1, memory: '64Mi' }, boot: { kernel: { image: 'vmlinuz' } } },
  };
}

export function hypervisor(name: string, nodeName = name) {
  const spec = { nodeName, driver: 'simulated', scanIntervalSeconds: 30 };
  return { apiVersion: 'usher.dev/v1alpha1', kind: 'Hypervisor', metadata: { name }, spec };
}

export function condition(type: string, changes: object = {}) {
  const said = { status: 'True', reason: 'Tested', message: 'As the test says.' };
  return { type, ...said, lastTransitionTime: '2026-01-01T00:00:00Z', ...changes };
}

export function get<T>(access: ApiAccess, path: string): Promise<T> {
  return apiRequest<T>(access, { method: 'GET', path });
}

export function post<T = unknown>(access: ApiAccess, path: string, body: object): Promise<T> {
  return apiRequest<T>(access, { method: 'POST', path, body });
}

export function mergePatch<T = unknown>(access: ApiAccess, path: string, body: object): Promise<T> {
  return apiRequest<T>(access, { method: 'PATCH', path, body, contentType: 'application/merge-patch+json' });
}

export function remove(access: ApiAccess, path: string): Promise<unknown> {
  return apiRequest(access, { method: 'DELETE', path });
}

/** Fails unless the API server answers with this status, in words that match. */
export async function answered(request: Promise<unknown>, status: number, words: RegExp): Promise<void> {
  const error = await failureOf(request);
  if (error !== undefined && !(error instanceof ApiRequestError)) throw error;
  expect(error?.status, error?.message ?? 'accepted').to.equal(status);
  expect(error?.message).to.match(words);
}

/** Fails unless the API server forbids the request in words that match. */
export function refused(request: Promise<unknown>, words: RegExp): Promise<void> {
  return answered(request, 403, words);
}

/** Tries again until it does not throw, for half a minute. */
export async function eventually(attempt: () => Promise<unknown>): Promise<void> {
  for (const deadline = performance.now() + 30_000; ; await delay(100)) {
    const failure = await failureOf(attempt());
    if (failure === undefined) return;
    if (performance.now() > deadline) throw failure;
  }
}

function failureOf(request: Promise<unknown>): Promise<unknown> {
  return request.then(
    () => undefined,
    (error: unknown) => error,
  );
}
