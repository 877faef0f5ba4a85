// Writes of the operator and the daemons, as the audit log has them, apart from Leases and usage.
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { WithStatus } from '#runtime/controller/status-patch.ts';
import { type Asked, askedByUsher, isWrite } from './audit-log.ts';
import type { Chronicle } from './chronicle.ts';
import type { User } from './user.ts';

export interface CountedSite {
  readonly site: { readonly controlPlane: { readonly auditLog: string } };
  readonly user: Pick<User, 'machines' | 'hypervisors'>;
}

/** The audit log has a write a moment after a watch shows it, or a moment before. */
const LAG_MS = 500;

/**
 * Counts from now on: the function given back gives all writes since. The audit log does not tell what was in a patch,
 * so as many patches of an object are left out as the watch showed versions of it in which only usage differs.
 */
export async function countWrites({ site, user }: CountedSite): Promise<() => Promise<Asked[]>> {
  const already = (await askedByUsher(site.controlPlane)).length;
  const usage = () => [...usageVersions(user.machines), ...usageVersions(user.hypervisors)];
  const told = new Set(usage());
  return async () => {
    await delay(LAG_MS);
    const writes = (await askedByUsher(site.controlPlane)).slice(already).filter(isWrite);
    return withoutUsage(
      writes,
      usage().filter((version) => !told.has(version)),
    );
  };
}

function usageVersions<T extends WithStatus>(chronicle: Chronicle<T>): T[] {
  return chronicle.names().flatMap((name) => {
    const versions = chronicle.versions(name);
    return versions.filter((version, index) => onlyUsageDiffers(versions[index - 1], version));
  });
}

function onlyUsageDiffers(before: WithStatus | undefined, after: WithStatus): boolean {
  return before !== undefined && isDeepStrictEqual(withoutUsageOf(before), withoutUsageOf(after));
}

/** Without what changes with every write, too. */
function withoutUsageOf({ metadata, ...rest }: WithStatus): object {
  const { uid, generation, deletionTimestamp, finalizers, labels, annotations } = metadata;
  const status = { ...rest.status, usage: undefined };
  return { ...rest, metadata: { uid, generation, deletionTimestamp, finalizers, labels, annotations }, status };
}

function withoutUsage(writes: readonly Asked[], usage: readonly WithStatus[]): Asked[] {
  const left = new Map<string, number>();
  for (const { metadata } of usage) left.set(metadata.name, (left.get(metadata.name) ?? 0) + 1);
  return writes.filter(({ name = '', verb, resource }) => {
    const open = left.get(name) ?? 0;
    if (open === 0 || verb !== 'patch' || !resource.endsWith('/status')) return true;
    left.set(name, open - 1);
    return false;
  });
}
