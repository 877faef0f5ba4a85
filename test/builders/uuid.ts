// Identifiers that are the same in every run and tell whose they are.
import { createHash } from 'node:crypto';

/** A version-4 UUID that follows from the name. */
export function uuidFor(name: string): string {
  const digits = createHash('sha256').update(name).digest('hex');
  return digits.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5');
}
