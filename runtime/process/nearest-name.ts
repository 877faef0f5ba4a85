// "Did you mean …?"

/** The one of `names` that a person most likely meant by `typed`; undefined when none is near. */
export function nearestName(typed: string, names: readonly string[]): string | undefined {
  const ranked = names.map((name) => ({ name, distance: editDistance(typed, name) }));
  const [nearest] = ranked.sort((a, b) => a.distance - b.distance);
  const farthest = Math.max(2, Math.floor(typed.length / 3));
  return nearest !== undefined && nearest.distance <= farthest ? nearest.name : undefined;
}

/** Levenshtein's distance by the rows of Wagner and Fischer. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
