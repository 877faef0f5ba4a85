// What the node knows of a VM by itself: identity, epoch and the signed definition, in an element of our own namespace.
import type { DomainDefinition, DomainMetadata } from '#node-daemon/hypervisor/driver.ts';
import { type Element, element } from './element.ts';
import { payloadElement } from './payload.ts';

export const METADATA_NAMESPACE = 'https://usher.dev/domain/v1';
export const METADATA_PREFIX = 'usher';

export function metadata(definition: DomainDefinition): Element[] {
  return [element('metadata', {}, metadataElement(definition.metadata, METADATA_PREFIX))];
}

/** The element alone. Without a prefix it is in no namespace: a call that sets metadata names the namespace apart. */
export function metadataElement(metadata: DomainMetadata, prefix?: string): Element {
  const named = prefix === undefined ? '' : `${prefix}:`;
  const declaration = prefix === undefined ? {} : { [`xmlns:${prefix}`]: METADATA_NAMESPACE };
  const { uid, namespace, name, epoch, generation, payload, signature, latest, asFound } = metadata;
  return element(
    `${named}domain`,
    { ...declaration, uid, namespace, name, epoch, generation },
    payloadElement(`${named}payload`, payload),
    payloadElement(`${named}signature`, signature),
    ...(latest === undefined
      ? []
      : [
          payloadElement(`${named}latest-payload`, latest.payload),
          payloadElement(`${named}latest-signature`, latest.signature),
        ]),
    asFound === undefined ? undefined : payloadElement(`${named}as-found`, asFound),
  );
}

/** What is left with a domain that was let go: it takes the place of all the rest in one call. */
export function releasedElement(): Element {
  return element('released');
}
