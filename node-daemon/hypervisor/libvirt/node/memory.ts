// The machine's memory. virNodeGetInfo counts what is plugged into NUMA cells and is wrong on many virtual machines.
import { isDriverError } from '#node-daemon/hypervisor/errors.ts';
import type { Ask } from '../rpc/domain-calls.ts';
import { getFreeMemoryBytes, getMemoryStats, getNodeHardware } from '../rpc/node-calls.ts';

const KIBIBYTE = 1024;

export interface NodeMemory {
  readonly totalBytes: number;
  /** What can be given away at once: free, and caches that the kernel drops when asked. */
  readonly freeBytes: number;
}

export async function nodeMemory(ask: Ask): Promise<NodeMemory> {
  try {
    const stats = await getMemoryStats(ask);
    const bytes = (name: string): number => Number(stats.get(name) ?? 0n) * KIBIBYTE;
    return { totalBytes: bytes('total'), freeBytes: bytes('free') + bytes('buffers') + bytes('cached') };
  } catch (error) {
    if (!isDriverError(error, 'Unsupported')) {
      throw error;
    }
    const { memoryKiB } = await getNodeHardware(ask);
    return { totalBytes: Number(memoryKiB) * KIBIBYTE, freeBytes: Number(await getFreeMemoryBytes(ask)) };
  }
}
