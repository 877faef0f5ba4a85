// Reads our element back out of what libvirt returns. Anyone who may define domains may have written it.
import type { Element } from '@xmldom/xmldom';
import type { DomainMetadata } from '#node-daemon/hypervisor/driver.ts';
import { METADATA_NAMESPACE } from './metadata.ts';
import { payloadText } from './payload.ts';
import { onlyChild, parseGuarded } from './read-xml.ts';

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
  const asFound = childText(found, 'as-found');
  const adopted = asFound === undefined ? {} : { asFound };
  return { uid, namespace, name, epoch, generation, payload, signature, ...latestGrant(found), ...adopted };
}

/** Whether our element, which libvirt hands out alone, says that the domain was released. Never throws. */
export function isReleased(xml: string): boolean {
  return parseGuarded(xml)?.localName === 'released';
}

/** Version 0.2 wrote none, and neither do we where the guest was built from what was granted last. */
function latestGrant(found: Element): Pick<DomainMetadata, 'latest'> {
  const [payload, signature] = [childText(found, 'latest-payload'), childText(found, 'latest-signature')];
  return payload === undefined || signature === undefined ? {} : { latest: { payload, signature } };
}

function numberOf(text: string | undefined): number | undefined {
  const value = text !== undefined && NUMBER.test(text) ? Number(text) : undefined;
  return Number.isSafeInteger(value) ? value : undefined;
}

function childText(parent: Element, name: string): string | undefined {
  const child = onlyChild(parent, parent.namespaceURI, name);
  return child && payloadText(child.textContent ?? '', child.getAttribute('encoding') ?? '');
}
