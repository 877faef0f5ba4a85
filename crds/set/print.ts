// A set as text again, in one form for all ways to write the same.
import type { Choice, Item, NameSet, Part } from './syntax.ts';

/** What `parseSet` reads as this very set. */
export function printSet({ items }: NameSet): string {
  return items.map(itemText).join(',');
}

function itemText(item: Item): string {
  if (item.kind === 'Regex') return `/${item.source.replaceAll('/', '\\/')}/`;
  const name = item.parts.map(partText).join('');
  return item.cluster === undefined ? name : `${name}.${item.cluster.map(partText).join('')}`;
}

function partText(part: Part): string {
  switch (part.kind) {
    case 'Text':
      return part.text;
    case 'AnyText':
      return '*';
    case 'AnyLetter':
      return '?';
    case 'OneOf':
      return `{${part.choices.map(choiceText).join(',')}}`;
  }
}

function choiceText(choice: Choice): string {
  if (choice.kind === 'Word') return choice.word;
  return `${String(choice.from).padStart(choice.width, '0')}-${choice.to}`;
}
