// From the text of a set to its parts. Whatever is wrong is told with its place and with what to write instead.

import { compiled } from './regex.ts';
import {
  type Choice,
  countOf,
  type Item,
  type NameSet,
  type Naming,
  type Part,
  partsOf,
  SetFault,
  setLimits,
} from './syntax.ts';

/** What is left of the text, and where it began. */
interface Piece {
  readonly text: string;
  readonly at: number;
}

const RANGE = /^([0-9]{1,9})-([0-9]{1,9})$/;

/** Throws a SetFault. */
export function parseSet(text: string, naming: Naming): NameSet {
  if (text.length > setLimits.text)
    throw new SetFault(
      setLimits.text,
      `a set has at most ${setLimits.text} characters, and this has ${text.length}: shorten it with ranges or a regular expression`,
    );
  const items = piecesOf(text).map((piece) => itemOf(piece, naming));
  const set: NameSet = { naming, items };
  refuseTooMany(set);
  return set;
}

/** Between commas that stand neither in braces nor in a regular expression, without the blanks around. */
function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let begin = 0;
  while (begin <= text.length) {
    const end = endOfItem(text, begin);
    pieces.push(trimmed({ text: text.slice(begin, end), at: begin }));
    begin = end + 1;
  }
  return pieces;
}

function trimmed({ text, at }: Piece): Piece {
  const lead = text.length - text.trimStart().length;
  return { text: text.trim(), at: at + lead };
}

/** Index of the comma that ends the item, or of the end of the text. */
function endOfItem(text: string, begin: number): number {
  const first = begin + (text.slice(begin).length - text.slice(begin).trimStart().length);
  if (text[first] === '/') return afterRegex(text, first);
  const closed = /^(?:\{[^{}]*\}|[^,{])*/.exec(text.slice(begin))?.[0] ?? '';
  const end = begin + closed.length;
  if (text[end] === '{')
    throw new SetFault(end, 'this { has no } after it: close the braces, for example web{1-10,15}');
  return end;
}

/** Index of what follows a regular expression: a comma or the end. */
function afterRegex(text: string, slash: number): number {
  const regex = /^\/(?:\\.|[^\\/])*\//.exec(text.slice(slash))?.[0];
  if (regex === undefined)
    throw new SetFault(
      slash,
      'this regular expression has no / at its end: write it between two, for example /web-[0-9]+/',
    );
  const rest = text.slice(slash + regex.length);
  const end = slash + regex.length + (rest.length - rest.trimStart().length);
  if (end < text.length && text[end] !== ',')
    throw new SetFault(end, 'only a comma may follow a regular expression: a / within it is written \\/');
  return end;
}

function itemOf(piece: Piece, naming: Naming): Item {
  const { text, at } = piece;
  if (text === '')
    throw new SetFault(
      at,
      'a name, a range, a glob or a regular expression is missing here: write for example web-1, web-{1-10}, web-* or /web-[0-9]+/',
    );
  if (text.startsWith('/')) return regexOf(piece);
  return naming === 'Hypervisor' ? hostPattern(piece) : machinePattern(piece);
}

function regexOf({ text, at }: Piece): Item {
  const source = text.slice(1, -1).replaceAll('\\/', '/');
  if (source === '')
    throw new SetFault(at, 'the regular expression is empty: write for example /web-[0-9]+/, or * for all');
  try {
    compiled(source);
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : String(error);
    throw new SetFault(at, `this is no regular expression of the RE2 syntax: ${why}`);
  }
  return { kind: 'Regex', source };
}

function machinePattern(piece: Piece): Item {
  const [name, cluster, more] = components(piece);
  if (name === undefined) throw new TypeError('a text has at least one component');
  if (more !== undefined)
    throw new SetFault(
      more.at - 1,
      'a second dot: a VM is written as its name, or as its name, a dot and its cluster, for example 1-10.sneetch',
    );
  if (cluster === undefined) return { kind: 'Pattern', parts: componentOf(name, 'VirtualMachine') };
  return {
    kind: 'Pattern',
    parts: componentOf(name, 'VirtualMachine'),
    cluster: componentOf(cluster, 'VirtualMachine'),
  };
}

function hostPattern(piece: Piece): Item {
  const parts = components(piece).flatMap((component, index) => [
    ...(index === 0 ? [] : [{ kind: 'Text', text: '.' } as const]),
    ...componentOf(component, 'Hypervisor'),
  ]);
  return { kind: 'Pattern', parts: merged(parts) };
}

/** Between dots that stand in no braces. */
function components({ text, at }: Piece): Piece[] {
  const found: Piece[] = [];
  for (const match of text.matchAll(/(?:\{[^{}]*\}|[^.{])*/g)) {
    const before = match.index === 0 || text[match.index - 1] === '.';
    if (before) found.push({ text: match[0], at: at + match.index });
  }
  return found;
}

/** What stands alone and is two numbers with a dash between them is a range: 1-10. */
function componentOf(piece: Piece, naming: Naming): Part[] {
  if (piece.text === '')
    throw new SetFault(piece.at, 'nothing stands on this side of the dot: write for example 1-10.sneetch');
  const range = rangeOf(piece);
  if (range !== undefined) return [{ kind: 'OneOf', choices: [range] }];
  const parts: Part[] = [];
  for (const match of piece.text.matchAll(/\{[^{}]*\}|[*?]|[^{*?]+/g))
    parts.push(partOf({ text: match[0], at: piece.at + match.index }, naming));
  return merged(parts);
}

function partOf(piece: Piece, naming: Naming): Part {
  const { text, at } = piece;
  if (text === '*') return { kind: 'AnyText' };
  if (text === '?') return { kind: 'AnyLetter' };
  if (text.startsWith('{'))
    return { kind: 'OneOf', choices: choicesOf({ text: text.slice(1, -1), at: at + 1 }, naming) };
  return { kind: 'Text', text: plain(piece, naming) };
}

function choicesOf({ text, at }: Piece, naming: Naming): Choice[] {
  let begin = at;
  const choices = text.split(',').map((choice) => {
    const piece = trimmed({ text: choice, at: begin });
    begin += choice.length + 1;
    if (piece.text === '')
      throw new SetFault(
        piece.at,
        'nothing stands here between the braces: write numbers, ranges or words, for example {1-10,15}',
      );
    return rangeOf(piece) ?? ({ kind: 'Word', word: plain(piece, naming) } as const);
  });
  if (choices.map(countOf).reduce((sum, count) => sum + count) > setLimits.names)
    throw new SetFault(
      at,
      `these braces hold more than ${setLimits.names} choices: use a glob or a regular expression`,
    );
  return choices;
}

function rangeOf({ text, at }: Piece): Extract<Choice, { kind: 'Range' }> | undefined {
  const [, from, to] = RANGE.exec(text) ?? [];
  if (from === undefined || to === undefined) return undefined;
  if (Number(from) > Number(to)) throw new SetFault(at, `the range ${text} counts down: write ${to}-${from}`);
  return { kind: 'Range', from: Number(from), to: Number(to), width: /^0[0-9]/.test(from) ? from.length : 0 };
}

function plain({ text, at }: Piece, naming: Naming): string {
  const wrong = (naming === 'Hypervisor' ? /[^-.a-z0-9]/u : /[^-a-z0-9]/u).exec(text);
  if (wrong === null) return text;
  const [letter] = wrong;
  const advice = /[A-Z]/.test(letter)
    ? 'names are in lower case'
    : 'names hold lower-case letters, digits and dashes; * and ? stand for any, and /.../ is a regular expression';
  throw new SetFault(at + wrong.index, `${JSON.stringify(letter)} cannot be part of a name: ${advice}`);
}

function merged(parts: readonly Part[]): Part[] {
  return parts.reduce<Part[]>((before, part) => {
    const last = before.at(-1);
    if (last?.kind === 'AnyText' && part.kind === 'AnyText') return before;
    if (last?.kind !== 'Text' || part.kind !== 'Text') return [...before, part];
    return [...before.slice(0, -1), { kind: 'Text', text: last.text + part.text }];
  }, []);
}

function refuseTooMany({ items }: NameSet): void {
  const counts = items.map((item) => (item.kind === 'Regex' ? 0 : productOf(partsOf(item))));
  const count = counts.reduce((sum, each) => sum + each, 0);
  if (count > setLimits.names)
    throw new SetFault(
      0,
      `this stands for ${count} names, and a set for at most ${setLimits.names}: use a glob or a regular expression, which stand for what there is`,
    );
}

function productOf(parts: readonly Part[]): number {
  return parts.reduce(
    (count, part) => count * (part.kind === 'OneOf' ? part.choices.map(countOf).reduce((sum, each) => sum + each) : 1),
    1,
  );
}
