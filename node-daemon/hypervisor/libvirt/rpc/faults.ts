// libvirt's error numbers (include/libvirt/virterror.h) and what each of them means to a caller of the port.
import { DriverError, type DriverErrorReason } from '#node-daemon/hypervisor/errors.ts';
import type { XdrDecoder } from './xdr-decoder.ts';

export const FAULT = {
  internalError: 1,
  noMemory: 2,
  noSupport: 3,
  invalidArgument: 8,
  operationFailed: 9,
  unknownOsType: 16,
  noKernel: 17,
  noRoot: 18,
  noSource: 19,
  noTarget: 20,
  noName: 21,
  noOs: 22,
  noDevice: 23,
  xmlError: 27,
  domainExists: 28,
  xmlDetail: 35,
  systemError: 38,
  noDomain: 42,
  noNetwork: 43,
  invalidMac: 44,
  noStoragePool: 49,
  noStorageVolume: 50,
  operationInvalid: 55,
  configUnsupported: 67,
  operationTimeout: 68,
  argumentUnsupported: 74,
  noDomainMetadata: 80,
  blockCopyActive: 83,
  operationAborted: 78,
  operationUnsupported: 84,
  resourceBusy: 87,
  cpuIncompatible: 91,
  xmlInvalidSchema: 92,
} as const;

const REASONS: ReadonlyMap<number, DriverErrorReason> = new Map([
  [FAULT.noDomain, 'NotFound'],
  [FAULT.operationInvalid, 'Busy'],
  [FAULT.resourceBusy, 'Busy'],
  [FAULT.blockCopyActive, 'Busy'],
  [FAULT.domainExists, 'Conflict'],
  [FAULT.invalidArgument, 'Invalid'],
  [FAULT.unknownOsType, 'Invalid'],
  [FAULT.noKernel, 'Invalid'],
  [FAULT.noRoot, 'Invalid'],
  [FAULT.noSource, 'Invalid'],
  [FAULT.noTarget, 'Invalid'],
  [FAULT.noName, 'Invalid'],
  [FAULT.noOs, 'Invalid'],
  [FAULT.noDevice, 'Invalid'],
  [FAULT.xmlError, 'Invalid'],
  [FAULT.xmlDetail, 'Invalid'],
  [FAULT.invalidMac, 'Invalid'],
  [FAULT.configUnsupported, 'Invalid'],
  [FAULT.cpuIncompatible, 'Invalid'],
  [FAULT.xmlInvalidSchema, 'Invalid'],
  [FAULT.noSupport, 'Unsupported'],
  [FAULT.argumentUnsupported, 'Unsupported'],
  [FAULT.operationUnsupported, 'Unsupported'],
  [FAULT.noMemory, 'NoRoom'],
  [FAULT.operationTimeout, 'Timeout'],
]);

/** An error that libvirt itself reported. `code` is its number. */
export class LibvirtFault extends DriverError {
  readonly code: number;

  constructor(code: number, message: string) {
    super(reasonOf(code, message), message === '' ? `libvirt error ${code}` : inOneSentence(message));
    this.code = code;
  }
}

/** QEMU's last words come in several lines, and with a full stop that belongs to whoever quotes them. */
function inOneSentence(message: string): string {
  return message
    .trim()
    .replaceAll(/\s*\n\s*/g, '; ')
    .replace(/\.+$/, '');
}

export function isFault(error: unknown, ...codes: number[]): error is LibvirtFault {
  return error instanceof LibvirtFault && codes.includes(error.code);
}

/** Reads the body of a reply whose status is an error (struct remote_error; what follows the message is not needed). */
export function readFault(body: XdrDecoder): LibvirtFault {
  const code = body.int();
  body.int(); // the part of libvirt the error came from
  return new LibvirtFault(code, body.optional(() => body.string()) ?? '');
}

function reasonOf(code: number, message: string): DriverErrorReason {
  // QEMU dies at start where the host has no memory left; libvirt passes on its last words as an internal error.
  if (code === FAULT.internalError && /cannot allocate memory/i.test(message)) {
    return 'NoRoom';
  }
  return REASONS.get(code) ?? 'Failed';
}
