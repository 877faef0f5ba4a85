// Reads XML that anyone who may define domains may have written.
import { DOMParser, type Element, MIME_TYPE } from '@xmldom/xmldom';

const MAX_CHARACTERS = 4 * 1024 * 1024;
const MAX_DEPTH = 64;

/** The root; undefined where the text is no XML, or larger or deeper than we ever read. */
export function parseGuarded(xml: string): Element | undefined {
  if (xml.length > MAX_CHARACTERS || /<!(?:DOCTYPE|ENTITY)/i.test(xml) || isDeeperThan(xml, MAX_DEPTH)) {
    return undefined;
  }
  try {
    const parser = new DOMParser({ locator: false, onError: refuse, normalizeLineEndings: asXml10Does });
    return parser.parseFromString(xml, MIME_TYPE.XML_TEXT).documentElement ?? undefined;
  } catch {
    return undefined;
  }
}

/** Undefined where there are several: nobody can say which is meant. */
export function onlyChild(parent: Element | undefined, namespace: string | null, name: string): Element | undefined {
  const [child, ...others] = childrenOf(parent, namespace, name);
  return others.length > 0 ? undefined : child;
}

/** Only its own, not those further down. */
export function childrenOf(parent: Element | undefined, namespace: string | null, name: string): Element[] {
  return Array.from(parent?.childNodes ?? []).filter(
    (node): node is Element => node.nodeType === 1 && node.localName === name && node.namespaceURI === namespace,
  );
}

/** U+FFFD is a character like any other: what it once replaced was lost before anybody gave it to us. */
const HARMLESS = 'Unicode replacement character detected';

function refuse(level: string, message: string): void {
  if (level === 'warning' && message.startsWith(HARMLESS)) return;
  throw new Error(`${level}: ${message}`);
}

/** The parser's own rule is that of XML 1.1 and would change U+0085 and U+2028, too. */
function asXml10Does(text: string): string {
  return text.replaceAll(/\r\n?/g, '\n');
}

/** Counts tags without building anything. */
function isDeeperThan(xml: string, limit: number): boolean {
  let depth = 0;
  for (const [tag] of xml.matchAll(/<[^!?<>][^<>]*>/g)) {
    if (tag.startsWith('</')) {
      depth -= 1;
    } else if (!tag.endsWith('/>')) {
      depth += 1;
    }
    if (depth > limit) {
      return true;
    }
  }
  return false;
}
