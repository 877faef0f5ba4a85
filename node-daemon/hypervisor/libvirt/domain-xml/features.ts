// What the firmware offers: ACPI carries the power button that a graceful shutdown presses.
import type { DomainDefinition } from '#node-daemon/hypervisor/driver.ts';
import { type BuildContext, isX86 } from './domain-type.ts';
import { type Element, element } from './element.ts';

export function features(definition: DomainDefinition, context: BuildContext): Element[] {
  const paravirtual = context.type === 'xen' && definition.boot.kind === 'Kernel';
  if (!isX86(context) || context.type === 'lxc' || paravirtual) {
    return [];
  }
  return [element('features', {}, element('acpi'), element('apic'))];
}
