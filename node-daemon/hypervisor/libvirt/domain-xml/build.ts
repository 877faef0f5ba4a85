// A domain definition becomes libvirt's XML: one section per file, folded in order.
import type { DomainDefinition } from '#node-daemon/hypervisor/driver.ts';
import { boot } from './boot.ts';
import { checkDefinition } from './check-definition.ts';
import { serialConsole } from './console.ts';
import { cpuTime } from './cpu-time.ts';
import { disks } from './disks.ts';
import type { BuildContext } from './domain-type.ts';
import { type Element, element, render } from './element.ts';
import { features } from './features.ts';
import { identity } from './identity.ts';
import { instruments } from './instruments.ts';
import { interfaces } from './interfaces.ts';
import { lifecycle } from './lifecycle.ts';
import { metadata } from './metadata.ts';
import { resources } from './resources.ts';

type Section = (definition: DomainDefinition, context: BuildContext) => Element[];

const SECTIONS: readonly Section[] = [identity, metadata, resources, cpuTime, boot, features, lifecycle];
const DEVICES: readonly Section[] = [disks, interfaces, serialConsole, instruments];

/** The domain as libvirt defines it. Throws `Invalid`, naming the field, where no such domain can be made here. */
export function buildDomainXml(definition: DomainDefinition, context: BuildContext): string {
  checkDefinition(definition);
  const build = (section: Section) => section(definition, context);
  const sections = SECTIONS.flatMap(build);
  const devices = element('devices', {}, ...DEVICES.flatMap(build));
  return render(element('domain', { type: context.type }, ...sections, devices));
}
