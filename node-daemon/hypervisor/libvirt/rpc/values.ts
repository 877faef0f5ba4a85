// The compound values of libvirt's protocol: a domain's handle, typed parameters.
import { DriverError } from '#node-daemon/hypervisor/errors.ts';
import { garbled, type XdrDecoder } from './xdr-decoder.ts';
import type { XdrEncoder } from './xdr-encoder.ts';

export interface DomainHandle {
  readonly uuid: string;
  readonly name: string;
  /** It has a process, whatever state that is in. */
  readonly active: boolean;
}

export type ParameterValue = number | bigint | boolean | string;
export type Parameters = ReadonlyMap<string, ParameterValue>;

const UUID_BYTES = 16;
const NOT_RUNNING = -1;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** Throws `Invalid` where the text is no UUID. */
export function uuidBytes(uuid: string): Buffer {
  if (!UUID.test(uuid)) {
    throw new DriverError('Invalid', `uuid: '${uuid}' is no UUID such as 123e4567-e89b-42d3-a456-426614174000`);
  }
  return Buffer.from(uuid.replaceAll('-', ''), 'hex');
}

/** The server finds domains by uuid alone; name and id are for its messages. */
export function writeDomain(encoder: XdrEncoder, uuid: string): XdrEncoder {
  return encoder.string(uuid).fixed(uuidBytes(uuid)).int(NOT_RUNNING);
}

export function readUuid(decoder: XdrDecoder): string {
  const hex = decoder.fixed(UUID_BYTES).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

export function readDomain(decoder: XdrDecoder): DomainHandle {
  const name = decoder.string();
  const uuid = readUuid(decoder);
  return { uuid, name, active: decoder.int() !== NOT_RUNNING };
}

/** Typed parameters by name (struct remote_typed_param). */
export function readParameters(decoder: XdrDecoder, maxCount: number): Parameters {
  return new Map(decoder.list(maxCount, () => [decoder.string(), readValue(decoder)] as const));
}

/** One typed parameter; of all their types these are the ones that we send. */
export interface WholeNumber {
  readonly name: string;
  readonly type: 'Hyper' | 'UnsignedHyper';
  readonly value: number;
}

const TYPES = { Hyper: 3, UnsignedHyper: 4 } as const;

/** As `readParameters` reads them. */
export function writeParameters(encoder: XdrEncoder, parameters: readonly WholeNumber[]): XdrEncoder {
  encoder.unsigned(parameters.length);
  for (const { name, type, value } of parameters) encoder.string(name).int(TYPES[type]).hyper(value);
  return encoder;
}

function readValue(decoder: XdrDecoder): ParameterValue {
  const type = decoder.int();
  switch (type) {
    case 1:
      return decoder.int();
    case 2:
      return decoder.unsigned();
    case 3:
      return decoder.hyper();
    case 4:
      return decoder.unsignedHyper();
    case 5:
      return decoder.double();
    case 6:
      return decoder.boolean();
    case 7:
      return decoder.string();
    default:
      throw garbled(`a parameter of the unknown type ${type}`);
  }
}
