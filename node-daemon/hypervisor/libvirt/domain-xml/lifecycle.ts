// What follows when the guest ends by itself. Starting it again is the operator's decision, never libvirt's.
import { type Element, element } from './element.ts';

export function lifecycle(): Element[] {
  return [
    element('clock', { offset: 'utc' }),
    element('on_poweroff', {}, 'destroy'),
    element('on_reboot', {}, 'restart'),
    element('on_crash', {}, 'destroy'),
  ];
}
