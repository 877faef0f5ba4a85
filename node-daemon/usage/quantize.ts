// Usage in steps, with hysteresis: what is written to the API moves only when the usage moved by more than noise.
import type { Usage } from '#crds/v1alpha1/fragments.ts';
import { timestampOf } from '#runtime/clock/clock.ts';
import { perResource, perWindow, RESOURCES, type Resource, type UsageAverages, WINDOWS } from './resources.ts';

/** Values without the time they were taken at, and without what follows from them. */
export type QuantizedUsage = Omit<Usage, 'time' | 'cpuPercent'>;

/**
 * A way to quantize. `nearest` gives the nearest step; `holds` says whether a value is still near enough to the step
 * held before; `position` counts steps, for comparing how far values moved.
 */
export interface Scale {
  readonly nearest: (value: number) => number;
  readonly holds: (held: number, value: number) => boolean;
  readonly position: (value: number) => number;
}

const CPU_STEP = 50;
/** A value and another both within 3 % of a third differ by at most 1.03 / 0.97, which is 6.2 %; hence 7 %. */
const NOISE = 0.07;

/**
 * Steps of 50 thousandths of a CPU: 5 % of one CPU. Holds within a step's distance, or half a step and 7 % where that
 * is more: 3 % of sixteen CPUs are ten steps.
 */
export const cpuScale: Scale = {
  nearest: (value) => Math.round(value / CPU_STEP) * CPU_STEP,
  holds: (held, value) => Math.abs(value - held) <= CPU_STEP / 2 + Math.max(CPU_STEP / 2, held * NOISE),
  position: (value) => value / CPU_STEP,
};

/**
 * Steps in a constant ratio: so many to a doubling, upwards from `floor`; less than half of that is 0. The floor times
 * a power of two is a step, so that a guest that fills 2Gi is shown with 2Gi. Holds within half a step and 7 %.
 */
function logScale(floor: number, stepsPerDoubling: number): Scale {
  const stepOf = (value: number): number => Math.max(0, Math.round(Math.log2(value / floor) * stepsPerDoubling));
  const margin = 2 ** (0.5 / stepsPerDoubling) * (1 + NOISE);
  return {
    nearest: (value) => (value < floor / 2 ? 0 : Math.round(floor * 2 ** (stepOf(value) / stepsPerDoubling))),
    holds: (held, value) => {
      if (held < floor) return value <= floor;
      const low = held === floor ? floor / 4 : held / margin;
      return low <= value && value <= held * margin;
    },
    position: (value) => (value < floor ? value / floor : 1 + Math.log2(value / floor) * stepsPerDoubling),
  };
}

/** Bytes per second, 19 % apart; less than half a kibibyte per second is silence. */
export const rateScale = logScale(1_024, 4);

/** Bytes of memory, 9 % apart. */
export const memoryScale = logScale(2 ** 20, 8);

const SCALES: Readonly<Record<Resource, Scale>> = {
  ...perResource(() => rateScale),
  cpu: cpuScale,
  memory: memoryScale,
};

/** The step held before as long as it holds, else the nearest one. A whole number that the API can take. */
export function quantize(scale: Scale, held: number | undefined, value: number): number {
  const step = held !== undefined && scale.holds(held, value) ? held : scale.nearest(value);
  return Math.min(step, Number.MAX_SAFE_INTEGER);
}

/** Averages in steps; `held` is what was written last. */
export function quantizeUsage(held: QuantizedUsage | undefined, averages: UsageAverages): QuantizedUsage {
  return perResource((resource) =>
    perWindow((window) => quantize(SCALES[resource], held?.[resource][window], averages[resource][window])),
  );
}

/** By how many steps the value that moved most has moved; 0 where nothing moved. */
export function stepsBetween(a: QuantizedUsage, b: QuantizedUsage): number {
  let most = 0;
  for (const resource of RESOURCES) {
    const { position } = SCALES[resource];
    for (const window of WINDOWS) {
      most = Math.max(most, Math.abs(position(a[resource][window]) - position(b[resource][window])));
    }
  }
  return most;
}

/** What the API takes. `wallTime` in milliseconds since 1970; `cpus` is how many it has, where that is known. */
export function usageAt(quantized: QuantizedUsage, wallTime: number, cpus: number | undefined): Usage {
  const percent = cpus === undefined || cpus === 0 ? {} : { cpuPercent: percentOf(quantized.cpu, cpus) };
  return { time: timestampOf(wallTime), ...quantized, ...percent };
}

/** A thousandth of a CPU is a tenth of a percent of one. */
function percentOf(cpu: QuantizedUsage['cpu'], cpus: number): QuantizedUsage['cpu'] {
  return perWindow((window) => Math.round(cpu[window] / 10 / cpus));
}
