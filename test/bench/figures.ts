// What is measured, in which unit, and what it ought to be.

export interface Goal {
  readonly kind: 'at most' | 'at least';
  readonly value: number;
}

interface Description {
  readonly unit: string;
  readonly goal?: Goal;
}

const atMost = (value: number): Goal => ({ kind: 'at most', value });
const atLeast = (value: number): Goal => ({ kind: 'at least', value });

const DESCRIPTIONS = {
  writes_per_vm_create: { unit: 'writes', goal: atMost(3) },
  vm_writes_per_vm_create: { unit: 'writes' },
  writes_per_vm_life: { unit: 'writes', goal: atMost(5) },
  vm_writes_per_vm_life: { unit: 'writes' },
  writes_per_vm_hour_idle: { unit: 'writes/hour', goal: atMost(0) },
  usage_writes_per_vm_hour: { unit: 'writes/hour' },
  usage_writes_per_hypervisor_hour: { unit: 'writes/hour' },
  first_usage_writes_per_vm: { unit: 'writes' },

  burst_vms_per_second: { unit: 'VMs/s' },
  bare_chain_vms_per_second: { unit: 'VMs/s' },
  bare_chain_spread: { unit: 'percent' },
  burst_over_bare_chain: { unit: 'ratio', goal: atLeast(0.45) },
  operator_cpu_ms_per_vm: { unit: 'ms', goal: atMost(1.5) },
  operator_cpu_over_api_server_cpu: { unit: 'ratio' },
  api_server_cpu_ms_per_vm: { unit: 'ms' },
  daemons_cpu_ms_per_vm: { unit: 'ms' },
  p50_create_to_running: { unit: 'ms' },
  p95_create_to_running: { unit: 'ms' },
  bare_chain_p50: { unit: 'ms' },
  bare_chain_p95: { unit: 'ms' },
  p95_create_to_running_over_bare_chain: { unit: 'ratio', goal: atMost(4) },

  operator_rss_mb_empty: { unit: 'MiB' },
  operator_rss_mb_1000: { unit: 'MiB', goal: atMost(140) },
  operator_rss_mb_10000: { unit: 'MiB', goal: atMost(220) },

  vms_held_on_25_nodes: { unit: 'VMs', goal: atLeast(142) },
  operator_cpu_percent_75: { unit: 'percent', goal: atMost(1) },
  operator_rss_mb_75: { unit: 'MiB' },

  daemon_rss_mb_50: { unit: 'MiB', goal: atMost(120) },
  daemon_cpu_percent_idle_50: { unit: 'percent', goal: atMost(0.5) },
  daemon_managed_of_50: { unit: 'VMs' },

  p50_kill_to_status: { unit: 'ms' },
  p95_kill_to_status: { unit: 'ms', goal: atMost(1000) },

  ten_guests_seconds: { unit: 's' },
  ten_guests_virsh_seconds: { unit: 's' },
  ten_guests_reported_seconds: { unit: 's' },
  ten_guests_over_virsh: { unit: 'ratio', goal: atMost(1.25) },
} as const satisfies Record<string, Description>;

export type FigureName = keyof typeof DESCRIPTIONS;

/** What one measurement found. */
export type Found = Partial<Record<FigureName, number>>;

export interface Figure {
  readonly name: FigureName;
  readonly value: number;
  readonly unit: string;
  readonly goal?: string;
  readonly met?: boolean;
}

/** In the order of the list above, with three significant digits. */
export function figuresOf(found: Found): Figure[] {
  return (Object.keys(DESCRIPTIONS) as FigureName[]).flatMap((name) => {
    const measured = found[name];
    return measured === undefined ? [] : [figureOf(name, measured)];
  });
}

function figureOf(name: FigureName, measured: number): Figure {
  const { unit, goal }: Description = DESCRIPTIONS[name];
  const value = rounded(measured);
  if (goal === undefined) return { name, value, unit };
  // The goal is compared with what was measured, not with what is printed.
  const met = goal.kind === 'at most' ? measured <= goal.value : measured >= goal.value;
  return { name, value, unit, goal: `${goal.kind} ${goal.value}`, met };
}

function rounded(value: number): number {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}

/** `name value unit`, and what was wanted where there is a goal. */
export function lineOf({ name, value, unit, goal, met }: Figure): string {
  const verdict = goal === undefined ? '' : `  # ${met === true ? 'met' : 'MISSED'}: ${goal}`;
  return `${name} ${value} ${unit}${verdict}`;
}
