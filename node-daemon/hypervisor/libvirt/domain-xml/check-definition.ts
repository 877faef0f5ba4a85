// What no hypervisor can make: found before it is asked, so that the message can name the field.
import type { DomainDefinition, DomainMetadata } from '#node-daemon/hypervisor/driver.ts';
import { DriverError } from '#node-daemon/hypervisor/errors.ts';

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
/** The first byte is even: an odd one is a group address. */
const MAC_ADDRESS = /^[0-9a-f][02468ace](?::[0-9a-f]{2}){5}$/i;
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\uFFFE\uFFFF]/u;
const LEAST_MEMORY_BYTES = 1024 * 1024;

type NamedText = readonly [field: string, value: string];

/** Throws a `DriverError` Invalid that names the field and says what is wrong with it. */
export function checkDefinition(definition: DomainDefinition): void {
  const { uuid, name, cpus, memoryBytes } = definition;
  demand(UUID.test(uuid), 'uuid', `'${printable(uuid)}' is no UUID such as 123e4567-e89b-42d3-a456-426614174000`);
  demand(name !== '' && !name.includes('/'), 'name', 'must not be empty and must not contain "/"');
  demand(Number.isSafeInteger(cpus) && cpus >= 1, 'cpus', `${cpus} is no whole number of at least 1`);
  demand(
    Number.isSafeInteger(memoryBytes) && memoryBytes >= LEAST_MEMORY_BYTES,
    'memoryBytes',
    `${memoryBytes} is no whole number of bytes of at least 1 MiB`,
  );
  for (const [field, value] of textsOf(definition)) {
    checkText(field, value);
  }
  for (const [index, { macAddress }] of definition.interfaces.entries()) {
    const field = `interfaces[${index}].macAddress`;
    demand(MAC_ADDRESS.test(macAddress), field, `'${macAddress}' is no address of a card such as 52:54:00:12:34:56`);
  }
  checkBootDevice(definition);
  checkMetadata(definition.metadata);
}

/** The payload and the signature may hold anything but half characters; the rest is a name or a number. */
export function checkMetadata(metadata: DomainMetadata): void {
  const { uid, namespace, name, epoch, generation } = metadata;
  for (const [field, value] of Object.entries({ uid, namespace, name })) {
    checkText(`metadata.${field}`, value);
  }
  for (const [field, value] of Object.entries({ epoch, generation })) {
    demand(Number.isSafeInteger(value) && value >= 0, `metadata.${field}`, `${value} is no whole number of at least 0`);
  }
  const { payload, signature, latest } = metadata;
  const texts = { payload, signature, 'latest.payload': latest?.payload, 'latest.signature': latest?.signature };
  for (const [field, value = ''] of Object.entries(texts)) {
    demand(value.isWellFormed(), `metadata.${field}`, 'holds half of a surrogate pair');
  }
}

function textsOf(definition: DomainDefinition): NamedText[] {
  const { name, boot, disks, interfaces } = definition;
  return [
    ['name', name],
    ...(boot.kind === 'Kernel' ? [['boot.kernel.commandLine', boot.commandLine ?? ''] as const] : []),
    ...disks.flatMap((disk, index): NamedText[] => [
      [`disks[${index}].name`, disk.name],
      [`disks[${index}].pool`, disk.pool],
      [`disks[${index}].volume`, disk.volume],
    ]),
    ...interfaces.flatMap((card, index): NamedText[] => [
      [`interfaces[${index}].name`, card.name],
      [`interfaces[${index}].network`, card.network],
    ]),
  ];
}

function checkBootDevice({ boot, disks, interfaces }: DomainDefinition): void {
  if (boot.kind === 'Disk') {
    const known = disks.some(({ name }) => name === boot.disk);
    demand(known, 'boot.disk.name', `no disk of this VM is called '${printable(boot.disk)}'`);
  }
  if (boot.kind === 'Network') {
    const known = interfaces.some(({ name }) => name === boot.interface);
    demand(known, 'boot.network.interface', `no interface of this VM is called '${printable(boot.interface)}'`);
  }
}

function checkText(field: string, value: string): void {
  const [found] = UNPRINTABLE.exec(value) ?? [];
  demand(found === undefined, field, `holds the control character ${codePoint(found)}; take it out`);
  demand(value.isWellFormed(), field, 'holds half of a surrogate pair; take it out');
}

function codePoint(character: string | undefined): string {
  return `U+${(character?.charCodeAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}

function printable(text: string): string {
  return text.replaceAll(new RegExp(UNPRINTABLE, 'gu'), '�').slice(0, 100);
}

function demand(holds: boolean, field: string, complaint: string): void {
  if (!holds) {
    throw new DriverError('Invalid', `${field}: ${complaint}`);
  }
}
