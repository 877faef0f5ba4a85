// Kubernetes quantities of CPU time as thousandths of one CPU: the forms that people use for CPUs, and no others.

/** What one may look like where it is written as a string; the schema and `parseCpus` share it. */
export const CPU_PATTERN = '^([0-9]{1,6}m|[0-9]{1,3}([.][0-9]{1,3})?)$';

const GRAMMAR = new RegExp(CPU_PATTERN);

/** 500m, 0.5 and 2 are 500, 500 and 2000. Throws a RangeError that says what to write instead. */
export function parseCpus(value: string | number): number {
  const text = String(value);
  if (!GRAMMAR.test(text)) {
    throw new RangeError(`CPUs ${JSON.stringify(value)}: give a number of CPUs such as 2 or 0.5, or thousandths: 500m`);
  }
  return text.endsWith('m') ? Number(text.slice(0, -1)) : Math.round(Number(text) * 1000);
}

/** As people write it: whole CPUs where it is whole, else thousandths. */
export function formatCpus(millis: number): string {
  return millis % 1000 === 0 ? `${millis / 1000}` : `${millis}m`;
}
