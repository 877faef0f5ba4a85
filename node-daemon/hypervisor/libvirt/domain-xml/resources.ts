// Processors and memory.
import type { DomainDefinition } from '#node-daemon/hypervisor/driver.ts';
import type { BuildContext } from './domain-type.ts';
import { type Element, element } from './element.ts';

export function resources(definition: DomainDefinition, context: BuildContext): Element[] {
  const { memoryBytes, cpus } = definition;
  return [
    element('memory', { unit: 'bytes' }, `${memoryBytes}`),
    element('currentMemory', { unit: 'bytes' }, `${memoryBytes}`),
    element('vcpu', {}, `${cpus}`),
    ...(context.type === 'kvm' ? [kvmProcessor()] : []),
  ];
}

/** The host's model with its features named, so that a guest can still move to another host of the same kind. */
export function kvmProcessor(): Element {
  return element('cpu', { mode: 'host-model' });
}
