// Network cards, each plugged into one of the hypervisor's networks.
import type { DomainDefinition, InterfaceDefinition } from '#node-daemon/hypervisor/driver.ts';
import { bootOrder } from './boot.ts';
import { type BuildContext, isQemu } from './domain-type.ts';
import { type Element, element } from './element.ts';

export function interfaces(definition: DomainDefinition, context: BuildContext): Element[] {
  const bootInterface = definition.boot.kind === 'Network' ? definition.boot.interface : undefined;
  return definition.interfaces.map((card) => networkCard(card, context, card.name === bootInterface));
}

function networkCard(card: InterfaceDefinition, context: BuildContext, isBootDevice: boolean): Element {
  const paravirtual = isQemu(context) || context.type === 'test';
  return element(
    'interface',
    { type: 'network' },
    element('mac', { address: card.macAddress }),
    element('source', { network: card.network }),
    paravirtual ? element('model', { type: 'virtio' }) : undefined,
    paravirtual ? bootOrder(isBootDevice) : undefined,
  );
}
