// From a path to a connection that may be used: socket, authentication, keepalive, hypervisor, version.
import { createConnection, type Socket } from 'node:net';
import { DriverError } from '#node-daemon/hypervisor/errors.ts';
import type { Clock } from '#runtime/clock/clock.ts';
import { Connection } from './connection.ts';
import { keepAlive } from './keepalive.ts';
import { MAX_AUTH_TYPES } from './limits.ts';
import { FEATURE_KEEPALIVE, PROCEDURE } from './procedures.ts';
import { XdrEncoder } from './xdr-encoder.ts';

const AUTH_NONE = 0;
const AUTH_NAMES: Readonly<Record<number, string>> = { 1: 'SASL', 2: 'polkit' };
const OLDEST_VERSION = 6_000_000;
const NO_ARGUMENTS = Buffer.alloc(0);

export interface Endpoint {
  readonly socketPath: string;
  /** What to open there, for example qemu:///system. */
  readonly uri: string;
  /** For the socket and for each step of the handshake. */
  readonly timeoutMs: number;
}

/** What is done with a connection before anyone else may use it, for example asking for events. */
export type Preparation = (connection: Connection) => Promise<void>;

/**
 * Rejects with Unreachable where libvirt cannot be talked to, and with Unsupported where it is too old; the message
 * says what to do about it.
 */
export async function openConnection(endpoint: Endpoint, clock: Clock, prepare?: Preparation): Promise<Connection> {
  try {
    const connection = new Connection(await connectSocket(endpoint, clock), clock);
    await orClose(connection, async () => {
      await shakeHands(connection, endpoint);
      await prepare?.(connection);
    });
    void keepAlive(connection, clock);
    return connection;
  } catch (error) {
    throw explained(error, endpoint);
  }
}

async function orClose(connection: Connection, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    connection.close(unreachable('the handshake failed'));
    throw error;
  }
}

async function shakeHands(connection: Connection, { uri, timeoutMs }: Endpoint): Promise<void> {
  await authenticate(connection, timeoutMs);
  await enableKeepalive(connection, timeoutMs);
  const open = new XdrEncoder().optionalString(uri).unsigned(0).finish();
  await connection.call(PROCEDURE.connectOpen, open, timeoutMs);
  await checkVersion(connection, timeoutMs);
}

async function connectSocket({ socketPath, timeoutMs }: Endpoint, clock: Clock): Promise<Socket> {
  const socket = createConnection(socketPath);
  const settled = new AbortController();
  try {
    return await new Promise((resolve, reject) => {
      socket.once('connect', () => resolve(socket));
      socket.once('error', (error) => reject(unreachable(socketFault(error))));
      clock.sleep(timeoutMs, settled.signal).then(
        () => reject(unreachable(`its socket accepted nobody within ${timeoutMs / 1000} s`)),
        () => {},
      );
    });
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    settled.abort();
  }
}

const SOCKET_FAULTS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such socket; install and start libvirtd, or name its socket with --libvirt-socket',
  ECONNREFUSED: 'nobody listens there; start libvirtd (systemctl start libvirtd)',
  EACCES: 'this user may not connect; run the daemon as root',
};

function socketFault({ code = '', message }: NodeJS.ErrnoException): string {
  return SOCKET_FAULTS[code] ?? message;
}

async function authenticate(connection: Connection, timeoutMs: number): Promise<void> {
  const reply = await connection.call(PROCEDURE.authList, NO_ARGUMENTS, timeoutMs);
  const offered = reply.list(MAX_AUTH_TYPES, () => reply.int());
  if (!offered.includes(AUTH_NONE)) {
    const names = offered.map((type) => AUTH_NAMES[type] ?? `type ${type}`).join(', ');
    throw unreachable(`it demands ${names} authentication; run as root or set auth_unix_rw = "none" in libvirtd.conf`);
  }
}

async function enableKeepalive(connection: Connection, timeoutMs: number): Promise<void> {
  const feature = new XdrEncoder().int(FEATURE_KEEPALIVE).finish();
  await connection.call(PROCEDURE.connectSupportsFeature, feature, timeoutMs);
}

async function checkVersion(connection: Connection, timeoutMs: number): Promise<void> {
  const reply = await connection.call(PROCEDURE.connectGetLibVersion, NO_ARGUMENTS, timeoutMs);
  const version = Number(reply.unsignedHyper());
  if (version < OLDEST_VERSION) {
    const found = versionText(version);
    throw new DriverError('Unsupported', `libvirt ${found} is too old: 6.0.0 or newer is needed on this machine`);
  }
}

/** 9000000 is 9.0.0, as libvirt and QEMU count. */
export function versionText(version: number): string {
  return [Math.floor(version / 1_000_000), Math.floor(version / 1000) % 1000, version % 1000].join('.');
}

function explained(error: unknown, { socketPath, uri }: Endpoint): DriverError {
  const reason = error instanceof DriverError && error.reason === 'Unsupported' ? 'Unsupported' : 'Unreachable';
  const detail = error instanceof Error ? error.message : String(error);
  return new DriverError(
    reason,
    `cannot use libvirt (--libvirt-uri ${uri}, --libvirt-socket ${socketPath}): ${detail}`,
    error,
  );
}

function unreachable(detail: string): DriverError {
  return new DriverError('Unreachable', detail);
}
