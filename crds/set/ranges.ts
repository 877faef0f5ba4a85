// Many names in few words, and back: web-1, web-2 and web-3 are web-{1-3}. Each text is a set of its own.
import { namesOf } from './names.ts';
import { parseSet } from './parse.ts';
import type { Naming } from './syntax.ts';

interface Numbered {
  readonly prefix: string;
  /** How wide the number is where it begins with a zero; 0 where it does not. */
  readonly width: number;
  readonly number: number;
}

/** Those of one prefix lie together, in the order of their numbers. The same for the same names in whatever order. */
export function rangesOf(names: Iterable<string>): string[] {
  const groups = new Map<string, Numbered[]>();
  const ranges: string[] = [];
  for (const name of new Set(names)) {
    const numbered = numberedOf(name);
    if (numbered === undefined) ranges.push(name);
    else groups.set(groupOf(numbered), [...(groups.get(groupOf(numbered)) ?? []), numbered]);
  }
  for (const group of groups.values()) ranges.push(...runsOf(group).map(rangeText));
  return ranges.sort(byNumber);
}

/** Throws a SetFault where a text stands for no names that are known without looking. */
export function namesIn(ranges: readonly string[], naming: Naming = 'VirtualMachine'): string[] {
  return ranges.flatMap((range) => namesOf(parseSet(range, naming)) ?? []);
}

const collator = new Intl.Collator('en', { numeric: true });

/** web-2 before web-10. */
export function byNumber(one: string, other: string): number {
  return collator.compare(one, other) || (one < other ? -1 : 1);
}

function numberedOf(name: string): Numbered | undefined {
  const [, prefix = '', digits = ''] = /^(.*?)([0-9]{1,9})$/.exec(name) ?? [];
  if (digits === '') return undefined;
  return { prefix, width: /^0[0-9]/.test(digits) ? digits.length : 0, number: Number(digits) };
}

function groupOf({ prefix, width }: Numbered): string {
  return `${width} ${prefix}`;
}

function runsOf(group: readonly Numbered[]): Numbered[][] {
  return group
    .toSorted((a, b) => a.number - b.number)
    .reduce<Numbered[][]>((runs, next) => {
      const run = runs.at(-1);
      if (run?.at(-1)?.number === next.number - 1) run.push(next);
      else runs.push([next]);
      return runs;
    }, []);
}

function rangeText(run: readonly Numbered[]): string {
  const [first, last] = [run[0], run.at(-1)];
  if (first === undefined || last === undefined) throw new TypeError('a run has at least one name');
  const [from, to] = [first, last].map(({ number, width }) => String(number).padStart(width, '0'));
  if (first !== last) return `${first.prefix}{${from}-${to}}`;
  // What looks like a range of its own, and is not one.
  return /^[0-9]{1,9}-$/.test(first.prefix) ? `${first.prefix}{${from}}` : `${first.prefix}${from}`;
}
