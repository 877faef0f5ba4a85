// XML elements as values, and the one place where they become text: whatever goes in is escaped here.

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly (Element | string)[];
}

export type Attributes = Readonly<Record<string, string | number | undefined>>;
export type Child = Element | string | undefined;

/** Attributes and children that are undefined are left out. Numbers are written in decimal. */
export function element(name: string, attributes: Attributes = {}, ...children: Child[]): Element {
  const present = Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, `${value}`]],
  );
  return {
    name,
    attributes: Object.fromEntries(present) as Record<string, string>,
    children: children.filter((child) => child !== undefined),
  };
}

/** An indented document. Elements that hold text are written on one line, as white space would count in them. */
export function render(root: Element, indent = ''): string {
  const open = `${indent}<${root.name}${renderAttributes(root)}`;
  if (root.children.length === 0) {
    return `${open}/>\n`;
  }
  if (root.children.some((child) => typeof child === 'string')) {
    return `${open}>${root.children.map(renderInline).join('')}</${root.name}>\n`;
  }
  const inner = root.children.map((child) => (typeof child === 'string' ? '' : render(child, `${indent}  `)));
  return `${open}>\n${inner.join('')}${indent}</${root.name}>\n`;
}

function renderInline(child: Element | string): string {
  return typeof child === 'string' ? escapeText(child) : render(child).trimEnd();
}

function renderAttributes({ attributes }: Element): string {
  return Object.entries(attributes)
    .map(([key, value]) => ` ${key}="${escapeAttribute(value)}"`)
    .join('');
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Carriage returns would come back as line feeds. */
function escapeText(text: string): string {
  return text.replaceAll(/[&<>]/g, (character) => ENTITIES[character] ?? '').replaceAll('\r', '&#13;');
}

/** Tabs and line ends would come back as blanks. */
function escapeAttribute(text: string): string {
  return text
    .replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? '')
    .replaceAll(/[\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`);
}
