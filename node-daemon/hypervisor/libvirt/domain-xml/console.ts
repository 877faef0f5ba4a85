// The serial console: a terminal to attach to, and a file that keeps the boot lines.
import type { DomainDefinition } from '#node-daemon/hypervisor/driver.ts';
import { type BuildContext, isQemu } from './domain-type.ts';
import { type Element, element } from './element.ts';

export function serialConsole(definition: DomainDefinition, context: BuildContext): Element[] {
  if (context.type === 'lxc') {
    return [element('console', { type: 'pty' })];
  }
  if (context.type === 'xen' && definition.boot.kind === 'Kernel') {
    return [element('console', { type: 'pty' }, element('target', { type: 'xen', port: 0 }))];
  }
  return [element('serial', { type: 'pty' }, consoleLog(context), element('target', { port: 0 }))];
}

function consoleLog(context: BuildContext): Element | undefined {
  const file = isQemu(context) ? context.consoleLog : undefined;
  return file === undefined ? undefined : element('log', { file, append: 'on' });
}
