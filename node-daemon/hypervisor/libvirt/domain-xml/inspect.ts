// What a definition would say of a domain that somebody else made. Nothing is guessed: whatever is not known to be said by
// the definition, or to be harmless, is an obstacle, named by its place.
import type { Element } from '@xmldom/xmldom';
import type { InterfaceDefinition, Obstacle } from '#node-daemon/hypervisor/driver.ts';
import { childrenOf, onlyChild, parseGuarded } from './read-xml.ts';

/** A disk as the domain names it: by its volume, or by a path that belongs to one. */
export interface FoundDisk {
  readonly name: string;
  readonly pool: string;
  readonly volume: string;
  readonly path: string;
  readonly format: string;
  readonly readOnly: boolean;
}

export type FoundBoot =
  | { readonly kind: 'Kernel'; readonly image: string; readonly initrd?: string; readonly commandLine?: string }
  | { readonly kind: 'Disk'; readonly disk: string }
  | { readonly kind: 'Network'; readonly interface: string };

export interface FoundDomain {
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly boot: FoundBoot | undefined;
  readonly disks: readonly FoundDisk[];
  readonly interfaces: readonly InterfaceDefinition[];
  readonly hardware: string;
  readonly obstacles: readonly Obstacle[];
}

type Names = ReadonlySet<string>;

/** Said by the definition, or without weight for what the guest finds. */
const DOMAIN: Names = new Set(
  'name uuid genid title description metadata memory currentMemory vcpu vcpus os features cpu clock on_poweroff on_reboot on_crash on_lockfailure pm devices seclabel resource'.split(
    ' ',
  ),
);
/** What the guest keeps as long as it is not defined anew: consoles, screens, and what joins the rest. */
const DEVICES: Names = new Set(
  'emulator disk interface controller serial console parallel channel input graphics video sound audio memballoon rng watchdog panic hub'.split(
    ' ',
  ),
);
const OS: Names = new Set(['type', 'kernel', 'initrd', 'cmdline', 'boot', 'bootmenu', 'bios', 'smbios']);
const DISK: Names = new Set(['driver', 'source', 'target', 'boot', 'readonly', 'alias', 'address', 'backingStore']);
const CARD: Names = new Set(['mac', 'source', 'model', 'target', 'alias', 'address', 'boot']);

/** Undefined where it is no XML of a domain that we read. Never throws. */
export function inspectXml(xml: string): FoundDomain | undefined {
  const root = parseGuarded(xml);
  if (root?.localName !== 'domain') return undefined;
  const devices = onlyChild(root, null, 'devices');
  const drives = childrenOf(devices, null, 'disk').filter((disk) => !isEmptyDrive(disk));
  const cards = childrenOf(devices, null, 'interface');
  const disks = drives.map(foundDisk);
  const interfaces = cards.map(foundCard);
  const boot = foundBoot(root, drives, cards);
  return {
    cpus: Number(textOf(root, 'vcpu')),
    memoryBytes: bytesOf(onlyChild(root, null, 'memory')),
    boot,
    disks,
    interfaces,
    hardware: hardwareOf(root, drives, cards),
    obstacles: [
      ...strangers(root, 'domain', DOMAIN),
      ...strangers(devices, 'devices', DEVICES),
      ...sizeObstacles(root),
      ...bootObstacles(root, boot),
      ...drives.flatMap(diskObstacles),
      ...cards.flatMap(cardObstacles),
      ...countObstacles(drives, cards),
    ],
  };
}

function obstacle(field: string, message: string): Obstacle[] {
  return [{ field, message }];
}

/** Elements that we know nothing of, of whatever namespace. */
function strangers(parent: Element | undefined, field: string, known: Names): Obstacle[] {
  const unknown = elementsOf(parent).filter(
    ({ localName, namespaceURI }) => namespaceURI !== null || !known.has(localName ?? ''),
  );
  const names = new Set(unknown.map(({ localName }) => localName ?? ''));
  return [...names].map((name) => ({ field: `${field}.${name}`, message: 'A VirtualMachine cannot say this.' }));
}

function elementsOf(parent: Element | undefined): Element[] {
  return Array.from(parent?.childNodes ?? []).filter((node): node is Element => node.nodeType === 1);
}

/** A drive for disks that can be changed, with none in it. */
function isEmptyDrive(disk: Element): boolean {
  const kind = disk.getAttribute('device') ?? 'disk';
  return (kind === 'cdrom' || kind === 'floppy') && onlyChild(disk, null, 'source') === undefined;
}

function sizeObstacles(root: Element): Obstacle[] {
  const [memory, current] = [onlyChild(root, null, 'memory'), onlyChild(root, null, 'currentMemory')];
  const cpus = onlyChild(root, null, 'vcpu')?.getAttribute('current') ?? undefined;
  return [
    ...(current !== undefined && bytesOf(current) !== bytesOf(memory)
      ? obstacle('domain.currentMemory', 'It has less memory than it may have: set both to the same (virsh setmem).')
      : []),
    ...(cpus !== undefined && cpus !== textOf(root, 'vcpu')
      ? obstacle('domain.vcpu.current', 'It has fewer CPUs than it may have: set both to the same (virsh setvcpus).')
      : []),
  ];
}

function bootObstacles(root: Element, boot: FoundBoot | undefined): Obstacle[] {
  const os = onlyChild(root, null, 'os');
  const type = textOf(os, 'type');
  return [
    ...strangers(os, 'os', OS),
    ...(type === 'hvm' ? [] : obstacle('os.type', `It is '${type}': only fully virtualized guests (hvm) are adopted.`)),
    ...(os?.getAttribute('firmware') ? obstacle('os.firmware', 'It has UEFI firmware with variables of its own.') : []),
    ...(boot === undefined
      ? obstacle('os.boot', 'It boots from none of its disks and network cards, nor from a kernel.')
      : []),
  ];
}

function diskObstacles(disk: Element): Obstacle[] {
  const field = `disk[${nameOf(disk)}]`;
  const [kind, device] = [disk.getAttribute('type') ?? '', disk.getAttribute('device') ?? 'disk'];
  const format = onlyChild(disk, null, 'driver')?.getAttribute('type') ?? '';
  return [
    ...strangers(disk, field, DISK),
    ...(device === 'disk' ? [] : obstacle(`${field}.device`, `It is a ${device} with a medium: eject that.`)),
    ...(['volume', 'file', 'block'].includes(kind)
      ? []
      : obstacle(`${field}.type`, `It is of type '${kind}', and no volume of a storage pool.`)),
    ...(['raw', 'qcow2'].includes(format) ? [] : obstacle(`${field}.format`, `'${format}' is neither raw nor qcow2.`)),
    ...(disk.getAttribute('snapshot') === 'external'
      ? obstacle(`${field}.snapshot`, 'It has external snapshots.')
      : []),
    ...(isLayered(disk) ? obstacle(`${field}.backingStore`, 'It lies upon another image.') : []),
  ];
}

function isLayered(disk: Element): boolean {
  return elementsOf(onlyChild(disk, null, 'backingStore')).length > 0;
}

function cardObstacles(card: Element, index: number): Obstacle[] {
  const field = `interface[net${index}]`;
  const kind = card.getAttribute('type') ?? '';
  if (kind === 'network') return strangers(card, field, CARD);
  return obstacle(`${field}.type`, `It is of type '${kind}': only cards in one of libvirt's networks are adopted.`);
}

function countObstacles(drives: readonly Element[], cards: readonly Element[]): Obstacle[] {
  return [
    ...(drives.length > MOST_DISKS ? obstacle('devices.disk', `It has more than ${MOST_DISKS} disks.`) : []),
    ...(cards.length > MOST_CARDS
      ? obstacle('devices.interface', `It has more than ${MOST_CARDS} network cards.`)
      : []),
  ];
}

/** What a spec takes. */
const MOST_DISKS = 16;
const MOST_CARDS = 8;

function nameOf(disk: Element): string {
  return onlyChild(disk, null, 'target')?.getAttribute('dev') ?? '';
}

function foundDisk(disk: Element): FoundDisk {
  const source = onlyChild(disk, null, 'source');
  const of = (name: string) => source?.getAttribute(name) ?? '';
  return {
    name: nameOf(disk),
    pool: of('pool'),
    volume: of('volume'),
    path: of('file') || of('dev'),
    format: onlyChild(disk, null, 'driver')?.getAttribute('type') ?? '',
    readOnly: onlyChild(disk, null, 'readonly') !== undefined,
  };
}

function foundCard(card: Element, index: number): InterfaceDefinition {
  return {
    name: `net${index}`,
    network: onlyChild(card, null, 'source')?.getAttribute('network') ?? '',
    macAddress: (onlyChild(card, null, 'mac')?.getAttribute('address') ?? '').toLowerCase(),
  };
}

function foundBoot(root: Element, drives: readonly Element[], cards: readonly Element[]): FoundBoot | undefined {
  const os = onlyChild(root, null, 'os');
  const image = textOf(os, 'kernel');
  if (image !== '') {
    const [initrd, commandLine] = [textOf(os, 'initrd'), textOf(os, 'cmdline')];
    return { kind: 'Kernel', image, ...(initrd && { initrd }), ...(commandLine && { commandLine }) };
  }
  const [disk, card] = [firstOf(drives), firstOf(cards)];
  const fromDisk = disk === undefined ? undefined : ({ kind: 'Disk', disk: nameOf(disk) } as const);
  const name = card === undefined ? '' : `net${cards.indexOf(card)}`;
  const fromCard = card === undefined ? undefined : ({ kind: 'Network', interface: name } as const);
  if (orderOf(disk) !== orderOf(card)) return orderOf(disk) < orderOf(card) ? fromDisk : fromCard;
  const devices = childrenOf(os, null, 'boot').map((boot) => boot.getAttribute('dev'));
  const [first = 'hd'] = devices.filter((device) => device !== 'cdrom' && device !== 'fd');
  return first === 'network' ? fromCard : fromDisk;
}

function firstOf(devices: readonly Element[]): Element | undefined {
  return devices.toSorted((one, other) => Math.sign(orderOf(one) - orderOf(other) || 0))[0];
}

/** Its place in the order of booting; behind all that have one where it has none. */
function orderOf(device: Element | undefined): number {
  return Number(onlyChild(device, null, 'boot')?.getAttribute('order') ?? Number.MAX_SAFE_INTEGER);
}

function hardwareOf(root: Element, drives: readonly Element[], cards: readonly Element[]): string {
  const devices = onlyChild(root, null, 'devices');
  const others = ['graphics', 'video', 'sound', 'channel', 'input', 'rng', 'watchdog'];
  const cpu = onlyChild(root, null, 'cpu');
  return [
    `machine ${onlyChild(onlyChild(root, null, 'os'), null, 'type')?.getAttribute('machine') ?? 'unknown'}`,
    ...(cpu === undefined ? [] : [`CPU ${cpu.getAttribute('mode') ?? textOf(cpu, 'model')}`]),
    ...drives.map((disk) => `disk ${nameOf(disk)} on ${onlyChild(disk, null, 'target')?.getAttribute('bus') ?? 'ide'}`),
    ...cards.map((card, index) => `net${index} a ${onlyChild(card, null, 'model')?.getAttribute('type') ?? 'default'}`),
    ...others.filter((name) => childrenOf(devices, null, name).length > 0),
  ].join('; ');
}

function textOf(parent: Element | undefined, name: string): string {
  return (onlyChild(parent, null, name)?.textContent ?? '').trim();
}

const UNITS: Readonly<Record<string, number>> = {
  b: 1,
  bytes: 1,
  k: 1024,
  KiB: 1024,
  M: 2 ** 20,
  MiB: 2 ** 20,
  G: 2 ** 30,
  GiB: 2 ** 30,
  T: 2 ** 40,
  TiB: 2 ** 40,
};

/** libvirt answers in KiB, and says so. */
function bytesOf(memory: Element | undefined): number {
  const unit = UNITS[memory?.getAttribute('unit') ?? 'KiB'] ?? Number.NaN;
  return Number((memory?.textContent ?? '').trim()) * unit;
}
