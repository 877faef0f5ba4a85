// The one grammar for sets of names, for all clients and operations: what a set is made of. docs/sets.md tells it to
// people.

/**
 * Of what the names are. Names of VMs are DNS labels, so a dot can only mean a virtual cluster: 1.sneetch is VM 1 of
 * cluster sneetch, the object sneetch-1. Names of hypervisors may hold dots of their own.
 */
export type Naming = 'VirtualMachine' | 'Hypervisor';

export type Choice =
  | { readonly kind: 'Word'; readonly word: string }
  /** Padded with zeros to this many digits; 0 for no padding. */
  | { readonly kind: 'Range'; readonly from: number; readonly to: number; readonly width: number };

export type Part =
  | { readonly kind: 'Text'; readonly text: string }
  | { readonly kind: 'AnyText' }
  | { readonly kind: 'AnyLetter' }
  | { readonly kind: 'OneOf'; readonly choices: readonly Choice[] };

export type Item =
  /** RE2; the whole name must match. */
  | { readonly kind: 'Regex'; readonly source: string }
  | { readonly kind: 'Pattern'; readonly parts: readonly Part[]; readonly cluster?: readonly Part[] };

export interface NameSet {
  readonly naming: Naming;
  /** A name belongs to the set if it belongs to any of them. Never empty. */
  readonly items: readonly Item[];
}

export const setLimits = {
  /** Characters of the text of a set. */
  text: 1024,
  /** Names that a set without globs and regular expressions may stand for, and choices between braces. */
  names: 1000,
} as const;

/** What a set is written wrongly with: says where, why and what to write instead. */
export class SetFault extends RangeError {
  /** Index of the character in the text. */
  readonly position: number;

  constructor(position: number, problem: string) {
    super(`at character ${position + 1}: ${problem}`);
    this.name = 'SetFault';
    this.position = position;
  }
}

/** What stands before the dash and the name where a VM is named with its cluster. */
export function partsOf({ parts, cluster }: Extract<Item, { kind: 'Pattern' }>): readonly Part[] {
  return cluster === undefined ? parts : [...cluster, { kind: 'Text', text: '-' }, ...parts];
}

/** How many different texts a choice stands for. */
export function countOf(choice: Choice): number {
  return choice.kind === 'Word' ? 1 : choice.to - choice.from + 1;
}

/** The texts that a choice stands for. */
export function textsOf(choice: Choice): string[] {
  if (choice.kind === 'Word') return [choice.word];
  const { from, width } = choice;
  return Array.from({ length: countOf(choice) }, (_, index) => String(from + index).padStart(width, '0'));
}
