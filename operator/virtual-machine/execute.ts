// All writes about one VM: at most one.
import { isConditionFalse } from '#crds/conditions.ts';
import { isSurelyHibernated } from '#crds/derive/hibernated.ts';
import { INSTANCE_UUID_ANNOTATION, REBUILD_MANAGER, VM_FINALIZER } from '#crds/v1alpha1/names.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { VirtualMachineSpec } from '#crds/v1alpha1/virtual-machine-spec.ts';
import { timestampOf } from '#runtime/clock/clock.ts';
import { writeStatus } from '#runtime/controller/status-patch.ts';
import { isKubeError } from '#runtime/kube/errors.ts';
import { type Action, isPending } from './actions.ts';
import type { MachineContext } from './context.ts';
import { statusAfter } from './status.ts';

/** Rejects with a KubeError; after Conflict nothing was written, after Unreachable it may have been. */
export async function execute(
  context: MachineContext,
  vm: VirtualMachine,
  actions: readonly Action[],
  signal: AbortSignal,
): Promise<void> {
  if (actions.length === 0) return;
  for (const action of actions) {
    tell(context, vm, action);
    if (action.kind === 'EndMigration') context.warn(vm, `Migration${action.result}`, action.reason);
  }
  const finalizing = actions.find((action) => action.kind === 'Finalize');
  if (finalizing !== undefined) return finalize(context, vm, finalizing, signal);
  for (const action of actions) {
    if (action.kind === 'Bind') return bind(context, vm, action.uuid, signal);
    if (action.kind === 'RestoreSpec') return restoreSpec(context, vm, action.spec, signal);
  }
  await writeDecision(context, vm, actions, signal);
}

function tell({ logger, warn }: MachineContext, vm: VirtualMachine, action: Action): void {
  const { namespace, name } = vm.metadata;
  logger.info(action.kind, { vm: `${namespace}/${name}`, reason: action.reason });
  if (isPending(action)) warn(vm, action.code, action.reason);
  if (action.kind === 'MarkExpiry' && action.expired !== undefined) warn(vm, action.expired.code, action.reason);
  if (action.kind === 'Finalize' && action.risk !== undefined) warn(vm, 'DeletionForced', action.risk);
  if (action.kind === 'MarkReachable' && !action.reachable && !isLost(vm))
    warn(vm, lostCode(vm, action), action.reason);
  if (action.kind === 'Place' && action.proof !== undefined) warn(vm, 'Recovered', action.reason);
}

function countTakeovers({ observer }: MachineContext, actions: readonly Action[]): void {
  for (const action of actions) {
    if (action.kind === 'Place' && action.proof !== undefined) observer?.takeover(action.proof.kind);
  }
}

/** A guest that is hibernated is not lost. */
function lostCode({ status }: VirtualMachine, { code }: Extract<Action, { kind: 'MarkReachable' }>): string {
  return isSurelyHibernated(status) ? code : 'Lost';
}

function isLost({ status }: VirtualMachine): boolean {
  return isConditionFalse(status?.conditions, 'HypervisorReachable');
}

/** Room is taken before the write is sent, so that two VMs decided side by side cannot both be given it. */
async function writeDecision(
  context: MachineContext,
  vm: VirtualMachine,
  actions: readonly Action[],
  signal: AbortSignal,
): Promise<void> {
  const { store, machineType, machines, ledger, ownWrites, sign, clock } = context;
  const next = statusAfter(actions, { vm, sign, time: timestampOf(clock.now()) });
  const undo = ledger.assume({ ...vm, status: next });
  try {
    const written = await writeStatus(store, machineType, { observed: vm, next, signal });
    countTakeovers(context, actions);
    // Where it was seen to go while the answer was on its way, nobody would ever take it out again.
    if (machines.getByUid(vm.metadata.uid) === undefined) return;
    ownWrites.remember(written);
    ledger.record(written);
    for (const action of actions) countMigration(context, action);
  } catch (error) {
    if (!isKubeError(error, 'Unreachable', 'Timeout', 'Internal')) undo();
    throw error;
  }
}

function countMigration({ observer }: MachineContext, action: Action): void {
  if (action.kind === 'Arrive') observer?.migrationEnded('Completed');
  if (action.kind === 'EndMigration') observer?.migrationEnded(action.result);
}

async function finalize(
  context: MachineContext,
  vm: VirtualMachine,
  { risk }: Extract<Action, { kind: 'Finalize' }>,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name, resourceVersion, finalizers = [] } = vm.metadata;
  const patch = {
    metadata: { resourceVersion, finalizers: finalizers.filter((finalizer) => finalizer !== VM_FINALIZER) },
  };
  try {
    await context.store.mergePatch(context.machineType, { namespace, name }, patch, { signal });
    if (risk !== undefined) context.observer?.forcedDeletion();
  } catch (error) {
    if (!isKubeError(error, 'NotFound')) throw error;
  }
}

/** Whose guest it takes is written before it takes it: whoever dies in between finds it again. */
async function bind(context: MachineContext, vm: VirtualMachine, uuid: string, signal: AbortSignal): Promise<void> {
  const { namespace, name, resourceVersion } = vm.metadata;
  const patch = { metadata: { resourceVersion, annotations: { [INSTANCE_UUID_ANNOTATION]: uuid } } };
  const { store, machineType, ownWrites } = context;
  ownWrites.remember(await store.mergePatch(machineType, { namespace, name }, patch, { signal }));
}

async function restoreSpec(
  context: MachineContext,
  vm: VirtualMachine,
  spec: VirtualMachineSpec,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name, resourceVersion } = vm.metadata;
  const { store, machineType, ownWrites } = context;
  const patch = [
    { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion },
    { op: 'replace', path: '/spec', value: spec },
  ] as const;
  const written = await store.jsonPatch(machineType, { namespace, name }, patch, {
    fieldManager: REBUILD_MANAGER,
    signal,
  });
  ownWrites.remember(written);
}
