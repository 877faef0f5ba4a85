// One guest brought to what was granted: look, plan, act, look again, and tell once at the end.
import { instanceUuid } from '#crds/derive/signed-payload.ts';
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { VirtualMachineStatus } from '#crds/v1alpha1/virtual-machine-status.ts';
import { timestampOf } from '#runtime/clock/clock.ts';
import type { ReconcileResult } from '#runtime/controller/controller.ts';
import { writeStatus } from '#runtime/controller/status-patch.ts';
import { isEndMidway, type Plan, type Report } from './actions.ts';
import { type DomainContext, isWatched } from './context.ts';
import { execute } from './execute.ts';
import { isNewEnd, rememberEnded, rememberEndTold, rememberMarked, rememberOff, rememberRunning } from './memory.ts';
import { observe, readLive } from './observe.ts';
import { planDomain } from './plan.ts';
import { type Live, machineIn, type Snapshot } from './snapshot.ts';
import { saysEnd, statusAfter, tellsNews } from './status.ts';
import { tellMove } from './tell-move.ts';

/** Verify, stop, verify, undefine, and look: many more rounds than that mean that the world moves faster than we do. */
const ROUNDS = 8;
const LOOK_AGAIN_MS = 1_000;
/** Addresses come some seconds after the start, when the guest has asked for one. */
const ADDRESS_POLL_MS = 3_000;
const ADDRESS_POLL_FOR_MS = 180_000;

/** Idempotent. Rejects with a KubeError or DriverError; nothing is lost by calling it again. */
export async function reconcileDomain(
  context: DomainContext,
  uuid: string,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  let live: Live = { kind: 'NotAsked' };
  for (let round = 0; round < ROUNDS; round++) {
    const snapshot = await observe(context, uuid, live);
    const plan = planDomain(snapshot);
    if (plan.kind === 'Verify') live = await readLive(context, uuid, snapshot, signal);
    else if (plan.kind === 'Act') live = await actOn(context, { uuid, plan, live, signal });
    else return conclude(context, { uuid, plan, snapshot, signal });
  }
  return { again: LOOK_AGAIN_MS };
}

interface Acting {
  readonly uuid: string;
  readonly plan: Extract<Plan, { kind: 'Act' }>;
  readonly live: Live;
  readonly signal: AbortSignal;
}

/** Gives back the object as it is known after the step: a slow start writes to it. */
async function actOn(context: DomainContext, { uuid, plan, live, signal }: Acting): Promise<Live> {
  if (live.kind !== 'Found') throw new Error(`${plan.step.kind} was planned without a live read`);
  let { vm } = live;
  const onSlowStart = async () => {
    const snapshot = await observe(context, uuid, live);
    vm = await write(context, { vm, snapshot, report: { powerState: 'Starting' }, signal });
  };
  await execute(plan.step, { context, uuid, vm, onSlowStart });
  return { kind: 'Used', vm };
}

interface Concluding {
  readonly uuid: string;
  readonly plan: Exclude<Plan, { kind: 'Verify' | 'Act' }>;
  readonly snapshot: Snapshot;
  readonly signal: AbortSignal;
}

async function conclude(
  context: DomainContext,
  { uuid, plan, snapshot, signal }: Concluding,
): Promise<ReconcileResult> {
  if (plan.kind === 'Orphaned') {
    context.orphans.add(uuid);
    return {};
  }
  context.orphans.delete(uuid);
  const vm = machineIn(snapshot);
  if (plan.kind === 'TellMove' && vm !== undefined) await tellMove(context, { uuid, vm, plan, signal });
  if (plan.kind === 'Report' && vm !== undefined) {
    rememberEnd(context, uuid, { vm, snapshot, report: plan.report });
    await write(context, { vm, snapshot, report: plan.report, signal });
    rememberTold(context, uuid, plan.report);
  }
  if (vm === undefined && snapshot.domain.kind === 'Absent') forget(context, uuid);
  return againAfter(plan, snapshot);
}

/** Before it is told, which may fail: hypervisors forget, and the next end may come before it is told. */
function rememberEnd(
  { memories, clock }: DomainContext,
  uuid: string,
  { vm, snapshot, report }: Omit<Writing, 'signal'>,
): void {
  const { termination } = report;
  if (termination === undefined || !isEndMidway(report)) return;
  const told = saysEnd(vm, report) && !isNewEnd(snapshot.memory);
  memories.update(uuid, (memory) => rememberEnded(memory, clock.monotonic(), { termination, told }));
}

function rememberTold({ memories }: DomainContext, uuid: string, report: Report): void {
  const { powerState } = report;
  if (isEndMidway(report)) memories.update(uuid, rememberEndTold);
  if (powerState === 'Running' || powerState === 'Paused') memories.update(uuid, rememberRunning);
  if (powerState === 'Stopped' || powerState === 'Hibernated' || powerState === 'Absent')
    memories.update(uuid, rememberOff);
}

function forget({ memories, initiators, moves }: DomainContext, uuid: string): void {
  memories.forget(uuid);
  moves.forget(uuid);
  initiators.delete(uuid);
}

function againAfter(plan: Exclude<Plan, { kind: 'Verify' | 'Act' | 'Orphaned' }>, snapshot: Snapshot): ReconcileResult {
  if (plan.again !== undefined) return { again: plan.again };
  return waitsForAddress(plan, snapshot) ? { again: ADDRESS_POLL_MS } : {};
}

function waitsForAddress(plan: Plan, snapshot: Snapshot): boolean {
  const { addresses, memory, now } = snapshot;
  if (plan.kind !== 'Report' || plan.report.powerState !== 'Running' || addresses.length > 0) return false;
  const hasInterfaces = (machineIn(snapshot)?.spec.interfaces ?? []).length > 0;
  return hasInterfaces && memory.startedAt !== undefined && now - memory.startedAt < ADDRESS_POLL_FOR_MS;
}

interface Writing {
  readonly vm: VirtualMachine;
  readonly snapshot: Snapshot;
  readonly report: Report;
  readonly signal: AbortSignal;
}

async function write(context: DomainContext, { vm, snapshot, report, signal }: Writing): Promise<VirtualMachine> {
  const { store, machineType, clock, ownWrites } = context;
  const next = statusAfter(report, { vm, snapshot, time: timestampOf(clock.now()) });
  // The operator is about to write its decision on the newest spec: two writes at once would cost one of them.
  if (!isDecided(vm) && !tellsNews(vm.status, next)) return vm;
  rememberBegun(context, vm, next);
  const written = await writeStatus(store, machineType, { observed: vm, next, signal });
  if (written === vm) return vm;
  countEnd(context, vm, written);
  // Where it left this node while the answer was on its way, nobody would ever forget it.
  if (isWatched(context, vm)) ownWrites.remember(written);
  const unasked = report.fault ?? unaskedEnd(report);
  if (unasked !== undefined) context.warn(written, unasked.code, unasked.reason);
  return written;
}

/** Each end once: a second report of it keeps its time. */
function countEnd({ observer }: DomainContext, before: VirtualMachine, after: VirtualMachine): void {
  const ended = after.status?.lastTermination;
  if (ended !== undefined && ended.time !== before.status?.lastTermination?.time) observer?.ended(ended);
}

/** Before it is told: where the answer gets lost, who finds it told as Executing must know that it was not done yet. */
function rememberBegun(
  { memories }: DomainContext,
  vm: VirtualMachine,
  { currentOperation }: VirtualMachineStatus,
): void {
  if (currentOperation?.state !== 'Executing' || vm.status?.currentOperation?.uid === currentOperation.uid) return;
  memories.update(instanceUuid(vm), (memory) => rememberMarked(memory, currentOperation.uid));
}

/** Nobody decides on one that is being deleted, though that raises its generation. */
function isDecided({ metadata, status }: VirtualMachine): boolean {
  return metadata.deletionTimestamp !== undefined || status?.granted?.generation === metadata.generation;
}

/** Ends that somebody should hear of even if all goes on well. */
function unaskedEnd({ powerState, termination }: Report): { code: string; reason: string } | undefined {
  if (termination === undefined || powerState === 'Absent') return undefined;
  const asked = termination.initiator === 'User' || termination.reason === 'StoppedByGuest';
  return asked ? undefined : { code: termination.reason, reason: termination.message };
}
