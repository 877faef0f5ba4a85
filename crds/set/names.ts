// What belongs to a set: which names it stands for, where that is known without looking, and whether a name is one.
import { compiled, quoted } from './regex.ts';
import { type Item, type NameSet, type Part, partsOf, textsOf } from './syntax.ts';

/** The names that the set stands for, each once, in its order; undefined where that depends on what there is. */
export function namesOf({ items }: NameSet): readonly string[] | undefined {
  const names = items.map(namesOfItem);
  return names.every((each) => each !== undefined) ? [...new Set(names.flat())] : undefined;
}

/** Whether a name belongs to the set. Takes time in proportion to the length of the name, whatever the set. */
export function matcherOf(set: NameSet): (name: string) => boolean {
  const matchers = set.items.map((item) => {
    const names = namesOfItem(item);
    if (names === undefined) return compiled(regexOf(item));
    const known = new Set(names);
    return (name: string) => known.has(name);
  });
  return (name) => matchers.some((matches) => matches(name));
}

function namesOfItem(item: Item): string[] | undefined {
  if (item.kind === 'Regex') return undefined;
  let names = [''];
  for (const part of partsOf(item)) {
    if (part.kind === 'AnyText' || part.kind === 'AnyLetter') return undefined;
    const texts = part.kind === 'Text' ? [part.text] : part.choices.flatMap(textsOf);
    names = names.flatMap((name) => texts.map((text) => name + text));
  }
  return names;
}

function regexOf(item: Item): string {
  return item.kind === 'Regex' ? item.source : partsOf(item).map(regexOfPart).join('');
}

function regexOfPart(part: Part): string {
  switch (part.kind) {
    case 'Text':
      return quoted(part.text);
    case 'AnyText':
      return '.*';
    case 'AnyLetter':
      return '.';
    case 'OneOf':
      return `(?:${part.choices.flatMap(textsOf).map(quoted).join('|')})`;
  }
}
