// coordination.k8s.io/v1 Lease: a record that somebody keeps changing for as long as he is alive.
import type { KubeObject, ResourceType } from '../kube/resource.ts';

export interface LeaseSpec {
  /** Absent or empty: nobody holds it. */
  holderIdentity?: string;
  leaseDurationSeconds?: number;
  /** When the holder became the holder, in the form of metav1.MicroTime, by his clock. */
  acquireTime?: string;
  /** For people: whether a lease has expired is judged by watching it change, never by this. */
  renewTime?: string;
  leaseTransitions?: number;
}

export interface Lease extends KubeObject {
  spec?: LeaseSpec;
}

export const LEASES: ResourceType<Lease> = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
};

/** metav1.MicroTime: the API server refuses any other number of digits than six. */
export function microTimestampOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('Z', '000Z');
}
