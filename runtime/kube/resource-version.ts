// Resource versions are decimal numbers without leading zeros, ordered within one API server (Kubernetes ≥ 1.35
// promises it, all before did it).

/** Negative when `a` is older than `b`, 0 when they are the same. Free of the 2^53 limit. */
export function compareResourceVersions(a: string, b: string): number {
  if (a.length !== b.length) {
    return a.length - b.length;
  }
  if (a === b) {
    return 0;
  }
  return a < b ? -1 : 1;
}
