// JSON merge patch, RFC 7386.
import { type Fields, isFields } from '../json.ts';

/** The target with the patch merged in, by the algorithm of RFC 7386 section 2. Changes neither argument. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isFields(patch)) {
    return patch;
  }
  const merged: Fields = isFields(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) {
      delete merged[name];
    } else {
      merged[name] = mergePatch(merged[name], value);
    }
  }
  return merged;
}
