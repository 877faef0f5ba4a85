/** Told what holds the site up, for metrics. */
export interface SiteObserver {
  /** Whether there is a hold, and how many hypervisors it waits for. */
  held(held: boolean, waitingFor: number): void;
  /** A report of a guest could not be believed or used. */
  refused(reason: string): void;
}
