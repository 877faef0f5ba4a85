// Where the guest's first code comes from.
import type { BootSource, DomainDefinition } from '#node-daemon/hypervisor/driver.ts';
import { DriverError } from '#node-daemon/hypervisor/errors.ts';
import { type BuildContext, isQemu } from './domain-type.ts';
import { type Element, element } from './element.ts';

/** Throws `Invalid` where this kind of domain cannot boot so. */
export function boot(definition: DomainDefinition, context: BuildContext): Element[] {
  switch (context.type) {
    case 'lxc':
      return [containerBoot(definition.boot, context)];
    case 'xen':
      return [xenBoot(definition.boot, context)];
    case 'kvm':
    case 'qemu':
    case 'test':
      return [element('os', {}, machineType(context), ...directKernel(definition.boot, context))];
  }
}

/** Disks and interfaces carry their place in the boot order themselves. */
export function bootOrder(isBootDevice: boolean): Element | undefined {
  return isBootDevice ? element('boot', { order: 1 }) : undefined;
}

function machineType(context: BuildContext): Element {
  const machine = isQemu(context) && context.architecture === 'x86_64' ? 'q35' : undefined;
  return element('type', { arch: context.architecture, machine }, 'hvm');
}

function directKernel(source: BootSource, { bootFiles }: BuildContext): Element[] {
  if (source.kind !== 'Kernel' || bootFiles === undefined) {
    return [];
  }
  return [
    element('kernel', {}, bootFiles.image),
    ...(bootFiles.initrd === undefined ? [] : [element('initrd', {}, bootFiles.initrd)]),
    ...(source.commandLine === undefined ? [] : [element('cmdline', {}, source.commandLine)]),
  ];
}

/** A kernel is started paravirtualized; disks and networks need firmware, and so full virtualization. */
function xenBoot(source: BootSource, context: BuildContext): Element {
  const arch = context.architecture;
  if (source.kind === 'Kernel') {
    return element('os', {}, element('type', { arch, machine: 'xenpv' }, 'linux'), ...directKernel(source, context));
  }
  const device = source.kind === 'Disk' ? 'hd' : 'network';
  return element('os', {}, element('type', { arch, machine: 'xenfv' }, 'hvm'), element('boot', { dev: device }));
}

function containerBoot(source: BootSource, context: BuildContext): Element {
  if (source.kind !== 'Disk') {
    const field = source.kind === 'Kernel' ? 'boot.kernel' : 'boot.network';
    throw new DriverError(
      'Invalid',
      `${field}: a container runs on the kernel of its host; name a root disk in boot.disk`,
    );
  }
  const type = element('type', { arch: context.architecture }, 'exe');
  return element('os', {}, type, element('init', {}, '/sbin/init'));
}
