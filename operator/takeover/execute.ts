// All that is done to the world for recovering from a silent hypervisor: fencing it, taking its Lease, giving it back.
import { heartbeatLeaseName, PROOF_ANNOTATION, RECOVERY_HOLDER, SYSTEM_NAMESPACE } from '#crds/v1alpha1/names.ts';
import type { Proof } from '#crds/v1alpha1/virtual-machine-status.ts';
import { isKubeError } from '#runtime/kube/errors.ts';
import { LEASES, type Lease, microTimestampOf } from '#runtime/lease/lease.ts';
import type { TakeoverContext } from './context.ts';
import { proofText, renewalOf } from './observe.ts';
import { PROVEN_MS, type Snapshot, TAKEN_SECONDS, type TakeoverPlan } from './plan.ts';

/** Rejects with a KubeError; what came of it is remembered. */
export async function execute(
  context: TakeoverContext,
  { hypervisor, lease }: Snapshot,
  plan: Extract<TakeoverPlan, { kind: 'Fence' | 'Take' | 'Release' }>,
  signal: AbortSignal,
): Promise<void> {
  context.logger.warn(plan.kind, { hypervisor, ...plan });
  switch (plan.kind) {
    case 'Take':
      return take(context, hypervisor, plan, signal);
    case 'Release':
      return release(context, hypervisor, plan.renewal, signal);
    case 'Fence':
      if (lease.kind === 'Theirs')
        await fence(context, { hypervisor, after: lease.renewal, reason: plan.reason }, signal);
  }
}

/**
 * Only if it is still the Lease that was judged, as the API server has it now: a daemon that has renewed it since lives,
 * and from here on it cannot, before `TAKEN_SECONDS` have passed.
 */
async function take(
  context: TakeoverContext,
  hypervisor: string,
  { renewal, proof }: { readonly renewal: string; readonly proof: Proof },
  signal: AbortSignal,
): Promise<void> {
  const annotations = { [PROOF_ANNOTATION]: proofText(proof) };
  const spec = { holderIdentity: RECOVERY_HOLDER, leaseDurationSeconds: TAKEN_SECONDS };
  const sentAt = await writeIf(context, { hypervisor, renewal, annotations, spec }, signal);
  if (sentAt === undefined) return;
  const until = sentAt + PROVEN_MS;
  context.takeovers.remember(hypervisor, { recovery: { kind: 'Proven', proof, until }, provenAt: sentAt });
}

/** The guard's promise stays: it was kept, and is good until a daemon makes another. */
async function release(
  context: TakeoverContext,
  hypervisor: string,
  renewal: string,
  signal: AbortSignal,
): Promise<void> {
  context.takeovers.forget(hypervisor);
  const change = { annotations: { [PROOF_ANNOTATION]: null }, spec: { holderIdentity: null } };
  await writeIf(context, { hypervisor, renewal, ...change }, signal);
}

interface LeaseWrite {
  readonly hypervisor: string;
  /** Of the Lease that is to be written over. */
  readonly renewal: string;
  readonly annotations: Readonly<Record<string, string | null>>;
  readonly spec: Readonly<Record<string, string | number | null>>;
}

/** The monotonic moment before it was sent; undefined where the Lease had changed. */
async function writeIf(
  { store, clock }: TakeoverContext,
  { hypervisor, renewal, annotations, spec }: LeaseWrite,
  signal: AbortSignal,
): Promise<number | undefined> {
  const key = { namespace: SYSTEM_NAMESPACE, name: heartbeatLeaseName(hypervisor) };
  const lease: Lease = await store.get(LEASES, key, signal);
  if (renewalOf(lease) !== renewal) return undefined;
  const { resourceVersion } = lease.metadata;
  const renewTime = microTimestampOf(clock.now());
  const sentAt = clock.monotonic();
  try {
    const patch = { metadata: { resourceVersion, annotations }, spec: { ...spec, renewTime } };
    await store.mergePatch(LEASES, key, patch, { signal });
    return sentAt;
  } catch (error) {
    if (!isKubeError(error, 'Conflict')) throw error;
    return undefined;
  }
}

async function fence(
  { fencer, hypervisors, takeovers, clock }: TakeoverContext,
  { hypervisor, after, reason }: { readonly hypervisor: string; readonly after: string; readonly reason: string },
  signal: AbortSignal,
): Promise<void> {
  const bootID = hypervisors.get(hypervisor)?.status?.bootID;
  const outcome = (await fencer?.fence({ hypervisor, bootID, reason }, signal).catch(failed)) ?? NO_FENCER;
  takeovers.remember(hypervisor, { fenced: { after, at: clock.monotonic(), outcome } });
}

const NO_FENCER = { kind: 'Failed', why: 'this site has no fencing.' } as const;

function failed(error: unknown) {
  return { kind: 'Failed', why: error instanceof Error ? error.message : String(error) } as const;
}
