// How CPU time is shared out. Nothing is said where nothing was asked: libvirt refuses the element on machines without
// cgroups, and guests do as they always did. Shares are counted from what a guest gets that says nothing: 1024 with the
// first version of cgroups, 100 with the second, whose range is smaller, too.
import { DEFAULT_CPU_SHARES, type Limits } from '#crds/resources.ts';
import type { DomainDefinition } from '#node-daemon/hypervisor/driver.ts';
import { DriverError } from '#node-daemon/hypervisor/errors.ts';
import type { BuildContext } from './domain-type.ts';
import { type Element, element } from './element.ts';

/** Microseconds: the kernel's own default. */
export const PERIOD_US = 100_000;
const UNLIMITED = -1;
const LARGE_RANGE = { least: 2, most: 262_144 };
const SMALL_RANGE = { least: 1, most: 10_000 };

export function cpuTime({ limits }: DomainDefinition, { defaultShares }: BuildContext): Element[] {
  if (limits === undefined) return [];
  if (defaultShares === undefined) throw new DriverError('Unsupported', 'CPU time cannot be shared out here');
  const quota =
    limits.cpuLimitMillis === undefined
      ? []
      : [element('global_period', {}, `${PERIOD_US}`), element('global_quota', {}, `${quotaOf(limits)}`)];
  return [element('cputune', {}, element('shares', {}, `${sharesHere(limits, defaultShares)}`), ...quota)];
}

/** In the measure of this machine. */
export function sharesHere({ cpuShares }: Limits, defaultShares: number): number {
  const { least, most } = defaultShares === DEFAULT_CPU_SHARES ? LARGE_RANGE : SMALL_RANGE;
  return Math.min(Math.max(Math.round((cpuShares * defaultShares) / DEFAULT_CPU_SHARES), least), most);
}

/** Microseconds of every period that all CPUs of the guest together may run. */
export function quotaOf({ cpuLimitMillis }: Limits): number {
  return cpuLimitMillis === undefined ? UNLIMITED : (cpuLimitMillis * PERIOD_US) / 1000;
}
