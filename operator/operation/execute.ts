// All writes that an operation makes to VMs. Each is the same done twice, so that it can be done again after a crash.
import { isDeepStrictEqual } from 'node:util';
import { isFields } from '#crds/canonical-json.ts';
import { epochIsOver } from '#crds/derive/epoch.ts';
import type { DomainReport } from '#crds/v1alpha1/domain-report.ts';
import { limits } from '#crds/v1alpha1/limits.ts';
import { API_VERSION, OPERATION_ANNOTATION, OPERATIONS_MANAGER, REQUESTER_ANNOTATION } from '#crds/v1alpha1/names.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { VirtualMachineOperation } from '#crds/v1alpha1/virtual-machine-operation.ts';
import type { GrantedOperation } from '#crds/v1alpha1/virtual-machine-status.ts';
import { adoptedMachine } from '#operator/adoption/machine.ts';
import type { Action as MachineAction } from '#operator/virtual-machine/actions.ts';
import { statusAfter } from '#operator/virtual-machine/status.ts';
import { timestampOf } from '#runtime/clock/clock.ts';
import { writeStatus } from '#runtime/controller/status-patch.ts';
import { isKubeError, type KubeError } from '#runtime/kube/errors.ts';
import type { NewObject } from '#runtime/kube/store.ts';
import type { Action } from './actions.ts';
import { askedOf } from './asked.ts';
import type { OperationContext } from './context.ts';
import { readMachine } from './observe.ts';
import { requesterOf } from './requester.ts';
import { type Settle, settle } from './told.ts';

type Begin = Extract<Action, { kind: 'Begin' }>;
type Create = Extract<Begin['effect'], { kind: 'Create' }>;
type Declare = Extract<Begin['effect'], { kind: 'Declare' }>;
type PowerOff = Extract<Begin['effect'], { kind: 'PowerOff' }>;
type Destroy = Extract<Begin['effect'], { kind: 'Destroy' }>;

interface Work {
  readonly context: OperationContext;
  readonly operation: VirtualMachineOperation;
  readonly signal: AbortSignal;
}

/** What was refused for good; undefined where it is under way now. Rejects with a KubeError where it may be tried again. */
export async function begin({ name, effect, reason }: Begin, work: Work): Promise<Settle | undefined> {
  const { namespace, name: operation } = work.operation.metadata;
  work.context.logger.info(effect.kind, { operation: `${namespace}/${operation}`, vm: name, reason });
  switch (effect.kind) {
    case 'Await':
      return undefined;
    case 'Declare':
      return declare(name, effect, work);
    case 'Create':
      return create(name, effect, work);
    case 'Ask':
      await ask(effect.vm, effect.operation, work);
      return undefined;
    case 'PowerOff':
      return powerOff(name, effect, work);
    case 'Destroy':
      return destroy(name, effect, work);
    case 'Release':
      return release(name, effect.vm, work);
    case 'Adopt':
      return adopt(name, effect.report, work);
  }
}

/** Refused with Conflict where the daemon has begun it: then it is looked at again. */
export async function withdraw(vm: VirtualMachine, reason: string, work: Work): Promise<void> {
  await writeAction({ kind: 'Withdraw', reason }, vm, work);
}

async function ask(vm: VirtualMachine, operation: GrantedOperation | undefined, work: Work): Promise<void> {
  if (operation === undefined || isDeepStrictEqual(vm.status?.granted?.operation, operation)) return;
  const reason = `Asked for by operation ${operation.name} of ${requesterOf(work.operation).user}.`;
  await writeAction({ kind: 'Ask', operation, reason: reason.slice(0, limits.sentence) }, vm, work);
}

async function writeAction(action: MachineAction, vm: VirtualMachine, { context, signal }: Work): Promise<void> {
  const { store, machineType, machines, machineWrites, sign, clock } = context;
  const next = statusAfter([action], { vm, sign, time: timestampOf(clock.now()) });
  const written = await writeStatus(store, machineType, { observed: vm, next, signal });
  if (machines.getByUid(vm.metadata.uid) !== undefined) machineWrites.remember(written);
}

/** Where it may be stopped, it is said that this is by force. */
async function powerOff(name: string, { vm }: PowerOff, work: Work): Promise<Settle | undefined> {
  if (vm.spec.powerState !== 'Stopped') {
    const refused = await declare(name, { kind: 'Declare', vm, powerState: 'Stopped' }, work);
    if (refused !== undefined) return refused;
  }
  await force(vm, work);
  return undefined;
}

async function destroy(name: string, { vm }: Destroy, work: Work): Promise<Settle | undefined> {
  const refused = await remove(name, vm, work);
  if (refused === undefined) await force(vm, work);
  return refused;
}

/** This very object; another one that was created under its name is not meant. */
async function remove(name: string, vm: VirtualMachine, work: Work): Promise<Settle | undefined> {
  const { store, machineType } = work.context;
  const { namespace, uid } = vm.metadata;
  try {
    await store.delete(machineType, { namespace, name }, { preconditions: { uid }, signal: work.signal });
  } catch (error) {
    if (isKubeError(error, 'Conflict')) return undefined;
    if (!isKubeError(error, 'Invalid', 'Forbidden')) throw error;
    return settle(name, { outcome: 'Failed', reason: error.reason, message: error.message, vm });
  }
  return undefined;
}

/** That its guest outlives it is said before it is deleted: whoever dies in between finds it, and stops nothing. */
async function release(name: string, vm: VirtualMachine, work: Work): Promise<Settle | undefined> {
  await ask(vm, askedOf(work.operation, vm), work);
  const refused = await remove(name, vm, work);
  const live = refused === undefined ? undefined : await readMachine(work.context, vm.metadata, work.signal);
  // It stays: whoever deletes it later must not let go of a guest because of this.
  if (live?.status?.granted?.operation?.uid === work.operation.metadata.uid)
    await withdraw(live, 'The VM could not be deleted.', work);
  return refused;
}

async function adopt(name: string, report: DomainReport, work: Work): Promise<Settle | undefined> {
  const { context, operation, signal } = work;
  const { namespace, uid } = operation.metadata;
  const annotations = { [REQUESTER_ANNOTATION]: requesterOf(operation).user, [OPERATION_ANNOTATION]: uid };
  const vm = adoptedMachine({ report, namespace, name, annotations });
  return made(name, async () => context.store.create(context.machineType, vm, signal), work);
}

/** Of the VM as it is after it was told to stop; of none where no hypervisor holds it any more. */
async function force({ metadata }: VirtualMachine, work: Work): Promise<void> {
  const live = await readMachine(work.context, metadata, work.signal);
  if (live?.metadata.uid !== metadata.uid || epochIsOver(live.status)) return;
  await ask(live, askedOf(work.operation, live), work);
}

/** What another manager goes on declaring stays as it declares it. */
async function declare(name: string, effect: Declare, work: Work): Promise<Settle | undefined> {
  const { vm } = effect;
  try {
    await apply(effect, work, {});
    return undefined;
  } catch (error) {
    if (isKubeError(error, 'Conflict')) return takeOver(name, effect, work, ownersIn(error));
    if (!isKubeError(error, 'NotFound', 'Invalid', 'Forbidden')) throw error;
    return settle(name, { outcome: 'Failed', reason: error.reason, message: error.message, vm });
  }
}

async function apply({ vm, powerState }: Declare, { context, signal }: Work, over: { resourceVersion?: string }) {
  const { store, machineType, machines, machineWrites } = context;
  const { name, namespace, uid } = vm.metadata;
  const metadata = { name, namespace, uid, ...over };
  const declared = { apiVersion: API_VERSION, kind: 'VirtualMachine', metadata, spec: { powerState } };
  const options = { fieldManager: OPERATIONS_MANAGER, force: over.resourceVersion !== undefined, signal };
  const written = await store.apply(machineType, declared as NewObject<VirtualMachine>, options);
  if (machines.getByUid(uid) !== undefined) machineWrites.remember(written);
}

interface Owner {
  readonly manager: string;
  /** By server-side apply, which goes on declaring; otherwise it wrote once, or filled in a default. */
  readonly applies: boolean;
}

/** As the API server names them. */
function ownersIn({ message }: KubeError): Owner[] {
  return [...message.matchAll(/conflict with "([^"]+)"( using)?/g)].map(([, manager = '', using]) => ({
    manager,
    applies: using === undefined,
  }));
}

/**
 * Who has written the field once, as kubectl create, patch and edit do, was not asked to keep it: the default of the
 * schema counts as written by whoever created the object. Who applies it will write it again. See docs/adr, on who owns power state.
 */
async function takeOver(
  name: string,
  effect: Declare,
  work: Work,
  owners: readonly Owner[],
): Promise<Settle | undefined> {
  const { vm } = effect;
  const live = await readMachine(work.context, { namespace: vm.metadata.namespace, name }, work.signal);
  if (live?.metadata.uid !== vm.metadata.uid) {
    const message = `${name} was deleted meanwhile, or another one was created under its name.`;
    return settle(name, { outcome: 'Failed', reason: 'Replaced', message });
  }
  const [first] = owners;
  const holder = owners.find(({ applies }) => applies) ?? (isAppliedByClient(live) ? first : undefined);
  if (holder === undefined) {
    await apply(effect, work, { resourceVersion: live.metadata.resourceVersion });
    return undefined;
  }
  const message = `spec.powerState of ${name} is declared by ${holder.manager}: change it there, or have ${holder.manager} leave the field out.`;
  return settle(name, { outcome: 'DeclaredElsewhere', reason: 'DeclaredElsewhere', message, vm });
}

/** kubectl apply without --server-side keeps what it declares in an annotation. */
function isAppliedByClient({ metadata }: VirtualMachine): boolean {
  try {
    const applied: unknown = JSON.parse(
      metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration'] ?? '{}',
    );
    return isFields(applied) && isFields(applied.spec) && 'powerState' in applied.spec;
  } catch {
    return false;
  }
}

/** In the name of whoever asked: admission keeps what the operator says of that. */
async function create(name: string, { spec, labels }: Create, work: Work): Promise<Settle | undefined> {
  const { context, operation, signal } = work;
  const { namespace, uid } = operation.metadata;
  const annotations = { [REQUESTER_ANNOTATION]: requesterOf(operation).user, [OPERATION_ANNOTATION]: uid };
  const vm = {
    apiVersion: API_VERSION,
    kind: 'VirtualMachine',
    metadata: { name, namespace, labels, annotations },
    spec,
  };
  return made(
    name,
    async () => context.store.create(context.machineType, vm as unknown as NewObject<VirtualMachine>, signal),
    work,
  );
}

async function made(name: string, creating: () => Promise<unknown>, work: Work): Promise<Settle | undefined> {
  try {
    await creating();
    return undefined;
  } catch (error) {
    if (isKubeError(error, 'AlreadyExists')) return alreadyThere(name, work);
    if (!isKubeError(error, 'Invalid', 'Forbidden')) throw error;
    return settle(name, { outcome: 'Failed', reason: error.reason, message: error.message });
  }
}

/** By us, where the answer was lost or a crash came in between. */
async function alreadyThere(name: string, { context, operation, signal }: Work): Promise<Settle | undefined> {
  const { namespace, uid } = operation.metadata;
  const vm = await readMachine(context, { namespace, name }, signal);
  if (vm?.metadata.annotations?.[OPERATION_ANNOTATION] === uid) return undefined;
  const message = 'Somebody else created a VM of this name meanwhile: that one is not touched.';
  return settle(name, { outcome: 'Failed', reason: 'AlreadyExists', message });
}
