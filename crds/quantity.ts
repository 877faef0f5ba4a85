// Kubernetes quantities as numbers of bytes. The grammar is the part of Kubernetes' that makes sense for memory and
// disks: no sign, no exponent, no milli.

/** What a quantity may look like where it is written as a string; the schema and `parseQuantity` share it. */
export const QUANTITY_PATTERN = '^[0-9]{1,16}([.][0-9]{1,3})?(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)?$';

const BINARY_SUFFIXES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'] as const;
const DECIMAL_SUFFIXES = ['', 'k', 'M', 'G', 'T', 'P'] as const;

const GRAMMAR = new RegExp(QUANTITY_PATTERN);

/**
 * The bytes that a quantity stands for: a whole number, rounded up as Kubernetes rounds (0.1Ki is 103 bytes).
 * Throws a RangeError that says what to write instead where `value` is no quantity, or more than 2^53 - 1 bytes.
 */
export function parseQuantity(value: string | number): number {
  const bytes = typeof value === 'number' ? value : bytesOf(value);
  if (!Number.isSafeInteger(bytes) || bytes < 0) {
    throw new RangeError(`quantity ${value}: must be a whole number of bytes from 0 to 2^53 - 1`);
  }
  return bytes;
}

function bytesOf(text: string): number {
  if (!GRAMMAR.test(text)) {
    throw new RangeError(
      `quantity ${JSON.stringify(text)}: give a number with an optional suffix, such as 512Mi or 2G`,
    );
  }
  const number = text.replace(/[A-Za-z]+$/, '');
  const [whole = '', decimals = ''] = number.split('.');
  const numerator = BigInt(whole + decimals) * multiplierOf(text.slice(number.length));
  const denominator = 10n ** BigInt(decimals.length);
  return Number((numerator + denominator - 1n) / denominator);
}

function multiplierOf(suffix: string): bigint {
  const binary = BINARY_SUFFIXES.findIndex((known) => known === suffix);
  if (binary >= 0) return 1024n ** BigInt(binary);
  return 1000n ** BigInt(DECIMAL_SUFFIXES.findIndex((known) => known === suffix));
}

/**
 * The shortest way to write `bytes` exactly with a binary suffix: 536870912 is 512Mi, 1000 stays 1000.
 * Throws a RangeError unless `bytes` is a whole number from 0 to 2^53 - 1.
 */
export function formatQuantity(bytes: number): string {
  let rest = parseQuantity(bytes);
  let power = 0;
  while (rest > 0 && rest % 1024 === 0 && power < BINARY_SUFFIXES.length - 1) {
    rest /= 1024;
    power += 1;
  }
  return `${rest}${BINARY_SUFFIXES[power]}`;
}

/** `bytes` in Gi with at most three decimals, rounded down: amounts in a column are then compared at a glance. */
export function gibibytes(bytes: number): string {
  return `${Math.floor((parseQuantity(bytes) / 1024 ** 3) * 1000) / 1000}Gi`;
}

const READABLE_SUFFIXES = ['Mi', 'Gi', 'Ti', 'Pi'] as const;

/**
 * `bytes` for people: at most one decimal, in the largest unit from Mi to Pi of which there is a whole one. What there is
 * is rounded down and what is needed is rounded up, so that what does not fit never looks as if it did.
 */
export function readableQuantity(bytes: number, rounded: 'up' | 'down'): string {
  const power = Math.min(Math.max(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), 2), READABLE_SUFFIXES.length + 1);
  const tenths = (bytes * 10) / 1024 ** power;
  return `${(rounded === 'up' ? Math.ceil(tenths) : Math.floor(tenths)) / 10}${READABLE_SUFFIXES[power - 2]}`;
}
