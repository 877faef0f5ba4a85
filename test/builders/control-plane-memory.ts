// What a daemon knows of control planes, kept in no file.
import type { ControlPlaneMemory, KnownControlPlane } from '#node-daemon/control-plane/memory.ts';

/** Lasts as long as it is held. */
export function forgetfulMemory(
  known?: KnownControlPlane,
): ControlPlaneMemory & { known: KnownControlPlane | undefined } {
  const memory = {
    known,
    read: async () => memory.known,
    write: async (next: KnownControlPlane) => {
      memory.known = next;
    },
  };
  return memory;
}
