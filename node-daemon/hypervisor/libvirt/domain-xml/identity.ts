import type { DomainDefinition } from '#node-daemon/hypervisor/driver.ts';
import { type Element, element } from './element.ts';

export function identity(definition: DomainDefinition): Element[] {
  return [element('name', {}, definition.name), element('uuid', {}, definition.uuid)];
}
