// Does KVM work here? libvirt lists it wherever /dev/kvm opens, and yet there are machines (nested ones, mostly) on which
// its guests never execute an instruction. So one is run: a guest of 16 MiB without any device, whose BIOS finds nothing
// to boot and, told not to wait, resets the machine; a reset ends this guest. Its end proves that thousands of
// instructions were executed. It takes under a second where KVM works. It gets the processor that guests get: there are
// machines on which KVM works, and not with that.
import { randomUUID } from 'node:crypto';
import { DriverError, isDriverError, isUnanswered } from '#node-daemon/hypervisor/errors.ts';
import type { Clock } from '#runtime/clock/clock.ts';
import { element, render } from '../domain-xml/element.ts';
import { kvmProcessor } from '../domain-xml/resources.ts';
import { type Ask, CREATE, createXml, destroy, listDomains, lookupByUuid } from '../rpc/domain-calls.ts';

const PATIENCE_MS = 8_000;
const LOOK_EVERY_MS = 100;
export const PROBE_NAME_PREFIX = 'usher-kvm-probe-';

export type KvmTrial = { readonly works: true } | { readonly works: false; readonly why: string };

/**
 * Leaves nothing behind: the guest is transient, and libvirt destroys it with the connection if nobody else does. Where
 * libvirtd itself was killed meanwhile it stays, and the next probe removes it.
 */
export async function tryKvm(ask: Ask, clock: Clock): Promise<KvmTrial> {
  const leftovers = (await listDomains(ask)).filter(({ name }) => name.startsWith(PROBE_NAME_PREFIX));
  try {
    return await guestEnds(ask, clock);
  } finally {
    // Only now: had it been the probe of somebody else that is still under way, its sudden end would look like success.
    await Promise.all(leftovers.map(({ uuid }) => destroy(ask, uuid).catch(() => {})));
  }
}

async function guestEnds(ask: Ask, clock: Clock): Promise<KvmTrial> {
  const uuid = randomUUID();
  try {
    await createXml(ask, probeXml(uuid), CREATE.autoDestroy);
  } catch (error) {
    const why = error instanceof DriverError ? error.message : undefined;
    if (why === undefined || isUnanswered(error)) throw error;
    return { works: false, why };
  }
  try {
    if (await endsInTime(ask, clock, uuid)) return { works: true };
    return { works: false, why: `a tiny one got nowhere within ${PATIENCE_MS / 1000} s` };
  } finally {
    await destroy(ask, uuid).catch(() => {});
  }
}

async function endsInTime(ask: Ask, clock: Clock, uuid: string): Promise<boolean> {
  const deadline = clock.monotonic() + PATIENCE_MS;
  while (clock.monotonic() < deadline) {
    await clock.sleep(LOOK_EVERY_MS);
    if (await isGone(ask, uuid)) {
      return true;
    }
  }
  return false;
}

async function isGone(ask: Ask, uuid: string): Promise<boolean> {
  return lookupByUuid(ask, uuid).then(
    () => false,
    (error: unknown) => {
      if (isDriverError(error, 'NotFound')) {
        return true;
      }
      throw error;
    },
  );
}

function probeXml(uuid: string): string {
  return render(
    element(
      'domain',
      { type: 'kvm' },
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
      kvmProcessor(),
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
