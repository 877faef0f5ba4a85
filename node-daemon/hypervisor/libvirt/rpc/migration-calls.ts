// The calls that move a guest to another libvirt. The source's libvirt talks to the target's by itself (peer to peer).
import type { Ask } from './domain-calls.ts';
import { MAX_JOB_STATS } from './limits.ts';
import { PROCEDURE } from './procedures.ts';
import { type Parameters, readParameters, writeDomain } from './values.ts';
import { XdrEncoder } from './xdr-encoder.ts';

/** virDomainMigrateFlags */
export const MIGRATE = { live: 1, peerToPeer: 2, tunnelled: 4, persistThere: 8, abortOnError: 4096 } as const;
/** virDomainJobOperation */
export const JOB_OPERATION = { migrationIn: 4, migrationOut: 5 } as const;

const UNSIGNED_LONG = 4;
const STRING = 7;

export interface MigrationRequest {
  /** Of the target's libvirt, as the source's reaches it. */
  readonly connection: string;
  /** Where the guest's memory goes; left out, through that connection. */
  readonly data?: string;
  readonly bandwidthMiB?: number;
  readonly flags: number;
}

/** Resolves when the guest runs there. */
export async function performMigration(ask: Ask, uuid: string, request: MigrationRequest): Promise<void> {
  const { connection, data, bandwidthMiB, flags } = request;
  const body = writeDomain(new XdrEncoder(), uuid).optionalString(connection);
  body.unsigned(Number(data !== undefined) + Number(bandwidthMiB !== undefined));
  if (data !== undefined) body.string('migrate_uri').int(STRING).string(data);
  if (bandwidthMiB !== undefined) body.string('bandwidth').int(UNSIGNED_LONG).unsignedHyper(BigInt(bandwidthMiB));
  const emptyCookie = 0;
  await ask(PROCEDURE.domainMigratePerform3Params, body.unsigned(emptyCookie).unsigned(flags).finish());
}

export interface Job {
  readonly operation: number;
  readonly values: Parameters;
}

/** What libvirt is doing with this domain just now; undefined where it does nothing that takes long. */
export async function getJob(ask: Ask, uuid: string): Promise<Job | undefined> {
  const reply = await ask(PROCEDURE.domainGetJobStats, writeDomain(new XdrEncoder(), uuid).unsigned(0).finish());
  const none = 0;
  if (reply.int() === none) return undefined;
  const values = readParameters(reply, MAX_JOB_STATS);
  return { operation: Number(values.get('operation') ?? 0), values };
}

export async function abortJob(ask: Ask, uuid: string): Promise<void> {
  await ask(PROCEDURE.domainAbortJob, writeDomain(new XdrEncoder(), uuid).finish());
}
