// What the site as a whole is measured by.
import type { Registry } from 'prom-client';
import { counter, gauge } from '#runtime/process/metrics.ts';
import type { SiteObserver } from './observer.ts';

/** Once per registry. */
export function siteMetrics(registry: Registry): SiteObserver {
  const hold = gauge(registry, 'usher_site_hold', 'Whether the site is on hold, so that nothing is placed: 1 or 0.');
  const waiting = gauge(registry, 'usher_site_hold_waiting', 'Hypervisors that the hold of the site waits for.');
  const help = 'Reports of guests that the operator could not believe or use, by why.';
  const refusals = counter(registry, 'usher_domain_reports_refused_total', help, 'reason');
  return {
    held: (held, waitingFor) => {
      hold.set(held ? 1 : 0);
      waiting.set(waitingFor);
    },
    refused: (reason) => refusals.inc({ reason }),
  };
}
