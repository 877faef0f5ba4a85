// Asks the API server what the requester of an operation may do: once for all where that will do, else for each VM.
import type { VirtualMachine } from '#crds/v1alpha1/virtual-machine.ts';
import type { VirtualMachineOperation } from '#crds/v1alpha1/virtual-machine-operation.ts';
import type { AccessAnswer } from '#runtime/kube/store.ts';
import type { OperationContext } from './context.ts';
import { requesterOf } from './requester.ts';
import { type Rights, type Verb, verbFor } from './rights.ts';

interface Asking {
  readonly operation: VirtualMachineOperation;
  readonly names: readonly string[];
  readonly machines: ReadonlyMap<string, VirtualMachine>;
  /** Hypervisors that are suggested. */
  readonly hints: readonly string[];
  /** Hypervisors whose guests are to be adopted. */
  readonly homes: readonly string[];
}

type Context = Pick<OperationContext, 'store' | 'machineType' | 'hypervisorType'>;

/** Questions to the API server that are under way at a time. */
const AT_A_TIME = 20;

/** Nobody is nobody: who was not stamped may do nothing. Rejects with a KubeError where no answer comes. */
export async function askRights(context: Context, asking: Asking, signal: AbortSignal): Promise<Rights> {
  const { operation, names, machines } = asking;
  const verbOf = (name: string) => verbFor(operation.spec.type, machines.has(name));
  const all = new Map<Verb, AccessAnswer>();
  for (const verb of new Set(names.map(verbOf))) all.set(verb, await ask(context, operation, { verb }, signal));
  const single = new Map<string, AccessAnswer>();
  const unclear = names.filter((name) => all.get(verbOf(name))?.allowed === false);
  for (let index = 0; index < unclear.length; index += AT_A_TIME) {
    const some = unclear.slice(index, index + AT_A_TIME);
    const answers = await Promise.all(
      some.map(async (name) => ask(context, operation, { verb: verbOf(name), name }, signal)),
    );
    some.forEach((name, place) => single.set(name, answers[place] ?? NO_ANSWER));
  }
  const homes = await deniedHomes(context, asking, signal);
  return {
    to: (verb, name) => single.get(name) ?? all.get(verb) ?? NO_ANSWER,
    adoptDenied: (hypervisor) => homes.get(hypervisor),
    hintDenied: await deniedHint(context, asking, signal),
  };
}

const NO_ANSWER: AccessAnswer = { allowed: false, reason: 'it was not asked' };

async function ask(
  { store, machineType }: Context,
  operation: VirtualMachineOperation,
  what: { verb: Verb; name?: string },
  signal: AbortSignal,
): Promise<AccessAnswer> {
  const requester = requesterOf(operation);
  if (requester.user === '') return { allowed: false, reason: 'nobody stamped who created the operation' };
  const { namespace } = operation.metadata;
  return store.mayDo({ ...requester, ...what, type: machineType, namespace }, signal);
}

/** What is done to guests that nobody gave to Usher takes a verb of its own on their hypervisor. */
async function deniedHomes(
  { store, hypervisorType }: Context,
  { operation, homes }: Asking,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const denied = new Map<string, string>();
  const question = { ...requesterOf(operation), verb: 'adopt', type: hypervisorType };
  if (homes.length === 0 || (question.user !== '' && (await store.mayDo(question, signal)).allowed)) return denied;
  for (const name of homes) {
    if (question.user !== '' && (await store.mayDo({ ...question, name }, signal)).allowed) continue;
    const advice = 'that takes the verb adopt on this hypervisor, which an administrator gives';
    denied.set(name, `${question.user || 'Nobody'} may not adopt guests of ${name}: ${advice}.`);
  }
  return denied;
}

async function deniedHint(
  { store, hypervisorType }: Context,
  { operation, hints }: Asking,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (hints.length === 0) return undefined;
  const question = { ...requesterOf(operation), verb: 'use', type: hypervisorType };
  if ((await store.mayDo(question, signal)).allowed) return undefined;
  for (const name of hints) {
    if ((await store.mayDo({ ...question, name }, signal)).allowed) continue;
    return `spec.hypervisorHints: ${question.user} may not suggest ${name}: that takes the verb use on this hypervisor. Leave the hints out, or ask an administrator.`;
  }
  return undefined;
}
