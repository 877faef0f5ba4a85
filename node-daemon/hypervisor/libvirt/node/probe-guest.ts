// The smallest guest that QEMU runs, to find out what this machine can do: 16 MiB and no device. Its BIOS finds nothing to
// boot and, told not to wait, resets the machine; a reset ends this guest.
import { type Element, element, render } from '../domain-xml/element.ts';
import { kvmProcessor } from '../domain-xml/resources.ts';
import { type Ask, destroy, listDomains } from '../rpc/domain-calls.ts';

/** Ours, and of no interest to anybody else. */
export const PROBE_NAME_PREFIX = 'usher-kvm-probe-';

/** Removes, in the end, what was left by a daemon or a libvirtd that was killed in the middle. */
export async function tidied<T>(ask: Ask, probe: () => Promise<T>): Promise<T> {
  const leftovers = (await listDomains(ask)).filter(({ name }) => name.startsWith(PROBE_NAME_PREFIX));
  try {
    return await probe();
  } finally {
    // Only now: had it been the probe of somebody else that is still under way, its sudden end would look like success.
    await Promise.all(leftovers.map(({ uuid }) => destroy(ask, uuid).catch(() => {})));
  }
}

/** It gets the processor that guests get: there are machines on which KVM works, and not with that. */
export function probeXml(type: 'kvm' | 'qemu', uuid: string): string {
  const processor: Element[] = type === 'kvm' ? [kvmProcessor()] : [];
  return render(
    element(
      'domain',
      { type },
      element('name', {}, `${PROBE_NAME_PREFIX}${uuid.slice(0, 8)}`),
      element('uuid', {}, uuid),
      element('memory', { unit: 'MiB' }, '16'),
      element('vcpu', {}, '1'),
      element(
        'os',
        {},
        element('type', {}, 'hvm'),
        element('boot', { dev: 'hd' }),
        element('bios', { rebootTimeout: 0 }),
      ),
      ...processor,
      element('on_poweroff', {}, 'destroy'),
      element('on_reboot', {}, 'destroy'),
      element(
        'devices',
        {},
        element('controller', { type: 'usb', model: 'none' }),
        element('memballoon', { model: 'none' }),
      ),
    ),
  );
}
