// What usage is measured of, by the names of the API.

export const RESOURCES = ['cpu', 'memory', 'networkReceive', 'networkTransmit', 'diskRead', 'diskWrite'] as const;
export type Resource = (typeof RESOURCES)[number];

export const WINDOWS = ['oneMinute', 'fiveMinutes', 'fifteenMinutes'] as const;
export type Window = (typeof WINDOWS)[number];

export type Averages = Readonly<Record<Window, number>>;

/** CPU in thousandths of one CPU, memory in bytes, everything else in bytes per second. */
export type UsageAverages = Readonly<Record<Resource, Averages>>;

/** A record with something for each resource. */
export function perResource<T>(make: (resource: Resource) => T): Record<Resource, T> {
  return {
    cpu: make('cpu'),
    memory: make('memory'),
    networkReceive: make('networkReceive'),
    networkTransmit: make('networkTransmit'),
    diskRead: make('diskRead'),
    diskWrite: make('diskWrite'),
  };
}

/** A record with something for each window. */
export function perWindow<T>(make: (window: Window) => T): Record<Window, T> {
  return {
    oneMinute: make('oneMinute'),
    fiveMinutes: make('fiveMinutes'),
    fifteenMinutes: make('fifteenMinutes'),
  };
}
