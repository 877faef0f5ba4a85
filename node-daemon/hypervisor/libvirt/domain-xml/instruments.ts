// Devices by which the guest tells of itself: what memory it uses, and that it has panicked.
import type { DomainDefinition } from '#node-daemon/hypervisor/driver.ts';
import { type BuildContext, isQemu, isX86 } from './domain-type.ts';
import { type Element, element } from './element.ts';

/** How often, in seconds, the guest's balloon driver reports. */
const BALLOON_PERIOD = 10;

export function instruments(_definition: DomainDefinition, context: BuildContext): Element[] {
  if (!isQemu(context)) {
    return [];
  }
  const balloon = element('memballoon', { model: 'virtio' }, element('stats', { period: BALLOON_PERIOD }));
  const idleUsb = element('controller', { type: 'usb', model: 'none' });
  return [idleUsb, balloon, ...(isX86(context) ? [element('panic', { model: 'isa' })] : [])];
}
