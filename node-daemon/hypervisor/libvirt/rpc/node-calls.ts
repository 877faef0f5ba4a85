// The calls about the machine and the hypervisor itself.
import type { Ask } from './domain-calls.ts';
import { MAX_NODE_STATS } from './limits.ts';
import { PROCEDURE } from './procedures.ts';
import { XdrEncoder } from './xdr-encoder.ts';

const NO_ARGUMENTS = Buffer.alloc(0);
const ALL = -1;
const MODEL_CHARACTERS = 32;

export interface NodeHardware {
  readonly architecture: string;
  readonly memoryKiB: bigint;
  readonly cpus: number;
}

/** What kind of hypervisor it is, in its own spelling: QEMU, TEST, LXC, Xen. */
export async function getType(ask: Ask): Promise<string> {
  return (await ask(PROCEDURE.connectGetType, NO_ARGUMENTS)).string();
}

/** The hypervisor's version and libvirt's, as libvirt counts: 9000000 is 9.0.0. */
export async function getVersions(ask: Ask): Promise<{ hypervisor: number; libvirt: number }> {
  const hypervisor = await ask(PROCEDURE.connectGetVersion, NO_ARGUMENTS);
  const libvirt = await ask(PROCEDURE.connectGetLibVersion, NO_ARGUMENTS);
  return { hypervisor: Number(hypervisor.unsignedHyper()), libvirt: Number(libvirt.unsignedHyper()) };
}

/** The capabilities document, XML. */
export async function getCapabilities(ask: Ask): Promise<string> {
  return (await ask(PROCEDURE.connectGetCapabilities, NO_ARGUMENTS)).string();
}

export async function getNodeHardware(ask: Ask): Promise<NodeHardware> {
  const reply = await ask(PROCEDURE.nodeGetInfo, NO_ARGUMENTS);
  const characters = Array.from({ length: MODEL_CHARACTERS }, () => reply.int()); // XDR gives each char four bytes
  const architecture = String.fromCharCode(...characters.filter((code) => code > 0));
  return { architecture, memoryKiB: reply.unsignedHyper(), cpus: reply.int() };
}

export async function getFreeMemoryBytes(ask: Ask): Promise<bigint> {
  return (await ask(PROCEDURE.nodeGetFreeMemory, NO_ARGUMENTS)).unsignedHyper();
}

/** Nanoseconds since boot, of all processors together: kernel, user, idle, iowait, intr. */
export function getCpuStats(ask: Ask): Promise<ReadonlyMap<string, bigint>> {
  return getNodeStats(ask, PROCEDURE.nodeGetCpuStats, (count) => [ALL, count]);
}

/** KiB: total, free, buffers, cached. */
export function getMemoryStats(ask: Ask): Promise<ReadonlyMap<string, bigint>> {
  return getNodeStats(ask, PROCEDURE.nodeGetMemoryStats, (count) => [count, ALL]);
}

/** libvirt wants to be told exactly as many values as it has; asked for none, it says how many that is. */
async function getNodeStats(
  ask: Ask,
  procedure: number,
  argumentsFor: (count: number) => [number, number],
): Promise<ReadonlyMap<string, bigint>> {
  const counted = await ask(procedure, body(argumentsFor(0)));
  counted.list(MAX_NODE_STATS, () => [counted.string(), counted.unsignedHyper()]);
  const reply = await ask(procedure, body(argumentsFor(counted.int())));
  return new Map(reply.list(MAX_NODE_STATS, () => [reply.string(), reply.unsignedHyper()] as const));
}

function body([first, second]: [number, number]): Buffer {
  return new XdrEncoder().int(first).int(second).unsigned(0).finish();
}
