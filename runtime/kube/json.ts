// Plain JSON values, as they come off the wire.

export type Fields = Record<string, unknown>;

/** Whether it is an object with fields, and neither null nor a list. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What is left of a value after the wire: undefined fields are gone, nothing is shared. */
export function wireCopy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}

/** Freezes the value and all it holds: what a store hands out is shared, so whoever changes it must fail loudly. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}

/** The value at a path of field names; undefined where there is none. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, name) => (isFields(inner) && Object.hasOwn(inner, name) ? inner[name] : undefined),
    value,
  );
}
