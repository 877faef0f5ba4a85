// JSON that is the same text for the same value, whoever wrote it: for signing, and for comparing.

/** Without spaces, and with the keys of every object in the order of their code units. */
export function canonicalJson(value: object | string | number | boolean | null): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    isFields(inner) ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}

/** Whether it is an object with fields, and neither null nor a list. */
export function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
