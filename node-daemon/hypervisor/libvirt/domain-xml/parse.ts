// Reads our element back out of what libvirt returns. Anyone who may define domains may have written it.
import { DOMParser, type Element, MIME_TYPE } from '@xmldom/xmldom';
import type { DomainMetadata } from '#node-daemon/hypervisor/driver.ts';
import { METADATA_NAMESPACE } from './metadata.ts';
import { payloadText } from './payload.ts';

const MAX_CHARACTERS = 4 * 1024 * 1024;
const MAX_DEPTH = 64;
const NUMBER = /^(?:0|[1-9][0-9]{0,15})$/;

/**
 * The metadata in the XML of a whole domain, or of our element alone, which libvirt hands out without its namespace.
 * Undefined where there is none, or where it is not as we write it: such a domain is not ours. Never throws.
 */
export function parseMetadata(xml: string): DomainMetadata | undefined {
  const root = parseGuarded(xml);
  const section = onlyChild(root, null, 'metadata');
  const found = section === undefined ? root : onlyChild(section, METADATA_NAMESPACE, 'domain');
  return found?.localName === 'domain' ? readMetadata(found) : undefined;
}

function readMetadata(found: Element): DomainMetadata | undefined {
  const text = (name: string) => found.getAttribute(name) ?? undefined;
  const [uid, namespace, name] = [text('uid'), text('namespace'), text('name')];
  const [epoch, generation] = [numberOf(text('epoch')), numberOf(text('generation'))];
  const [payload, signature] = [childText(found, 'payload'), childText(found, 'signature')];
  if (uid === undefined || namespace === undefined || name === undefined) {
    return undefined;
  }
  if (epoch === undefined || generation === undefined || payload === undefined || signature === undefined) {
    return undefined;
  }
  return { uid, namespace, name, epoch, generation, payload, signature };
}

function numberOf(text: string | undefined): number | undefined {
  const value = text !== undefined && NUMBER.test(text) ? Number(text) : undefined;
  return Number.isSafeInteger(value) ? value : undefined;
}

function childText(parent: Element, name: string): string | undefined {
  const child = onlyChild(parent, parent.namespaceURI, name);
  return child && payloadText(child.textContent ?? '', child.getAttribute('encoding') ?? '');
}

/** Undefined where there are several: nobody can say which is meant. */
function onlyChild(parent: Element | undefined, namespace: string | null, name: string): Element | undefined {
  const [child, ...others] = Array.from(parent?.childNodes ?? []).filter(
    (node): node is Element => node.nodeType === 1 && node.localName === name && node.namespaceURI === namespace,
  );
  return others.length > 0 ? undefined : child;
}

function parseGuarded(xml: string): Element | undefined {
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

function refuse(level: string, message: string): void {
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
