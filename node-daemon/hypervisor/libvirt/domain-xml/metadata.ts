// What the node knows of a VM by itself: identity, epoch and the signed definition, in an element of our own namespace.
import type { DomainDefinition, DomainMetadata } from '#node-daemon/hypervisor/driver.ts';
import { type Element, element } from './element.ts';
import { payloadElement } from './payload.ts';

export const METADATA_NAMESPACE = 'https://usher.dev/domain/v1';
export const METADATA_PREFIX = 'usher';

export function metadata(definition: DomainDefinition): Element[] {
  return [element('metadata', {}, metadataElement(definition.metadata, METADATA_PREFIX))];
}

/**
 * The element alone. Without a prefix it stands for itself, as libvirt wants it when metadata is set by a call: it puts
 * the prefix on by itself.
 */
export function metadataElement(metadata: DomainMetadata, prefix?: string): Element {
  const [named, declaration] = prefix === undefined ? ['', 'xmlns'] : [`${prefix}:`, `xmlns:${prefix}`];
  const { uid, namespace, name, epoch, generation, payload, signature } = metadata;
  return element(
    `${named}domain`,
    { [declaration]: METADATA_NAMESPACE, uid, namespace, name, epoch, generation },
    payloadElement(`${named}payload`, payload),
    payloadElement(`${named}signature`, signature),
  );
}
