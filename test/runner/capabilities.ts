// What the tests that really ran had at their disposal, so that a run can be refused where something was missing.

/** `control-plane`: a real API server. `qemu`: libvirt with real QEMU guests. */
export type Capability = 'control-plane' | 'qemu';

export const CAPABILITIES: readonly Capability[] = ['control-plane', 'qemu'];

const seen = new Set<Capability>();

/** To be called by a test, or a `beforeEach` hook, once it has the thing in hand: never for a test that is skipped. */
export function ran(capability: Capability): void {
  seen.add(capability);
}

export function capabilitiesThatRan(): Capability[] {
  return [...seen];
}
