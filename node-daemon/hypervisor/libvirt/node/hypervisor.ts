// What is asked once and holds as long as the connection: kind, architecture, versions, and whether KVM works.
import type { Capabilities } from '#node-daemon/hypervisor/driver.ts';
import type { Clock } from '#runtime/clock/clock.ts';
import type { DomainType } from '../domain-xml/domain-type.ts';
import type { Ask } from '../rpc/domain-calls.ts';
import { getCapabilities, getNodeHardware, getType, getVersions } from '../rpc/node-calls.ts';
import { versionText } from '../rpc/open.ts';
import { type CpuTuning, tryCpuTuning } from './cpu-tuning.ts';
import { runsGuestsAsRoot } from './guest-user.ts';
import { featuresOf, type HypervisorKind, kindOf, type Provisions } from './hypervisor-kind.ts';
import { type KvmTrial, tryKvm } from './kvm-probe.ts';

export interface HypervisorOptions {
  readonly ask: Ask;
  /** For the probe, which starts a guest. */
  readonly startGuest: Ask;
  readonly domainType: 'kvm' | 'qemu' | undefined;
  readonly provisions: Provisions;
  readonly clock: Clock;
}

/** See docs/adr/0011-starts-that-libvirtd-was-killed-in.md. */
const AS_ROOT =
  'Guests run as root here: one that libvirtd was killed in the middle of starting stays so until somebody mends it. ' +
  'See user and group in /etc/libvirt/qemu.conf.';

export class Hypervisor {
  readonly #options: HypervisorOptions;
  readonly #kind: Remembered<HypervisorKind>;
  readonly #architecture: Remembered<string>;
  readonly #version: Remembered<string>;
  readonly #asRoot: Remembered<boolean>;
  /** Undefined where libvirt does not offer KVM. */
  readonly #kvm: Remembered<KvmTrial | undefined>;
  readonly #cpuTuning: Remembered<CpuTuning>;

  constructor(options: HypervisorOptions) {
    const { ask, startGuest, clock } = options;
    this.#options = options;
    this.#kind = new Remembered(async () => kindOf(await getType(ask)));
    this.#architecture = new Remembered(async () => (await getNodeHardware(ask)).architecture);
    this.#version = new Remembered(async () => {
      const { hypervisor, libvirt } = await getVersions(ask);
      return `${versionText(hypervisor)} (libvirt ${versionText(libvirt)})`;
    });
    this.#asRoot = new Remembered(async () => runsGuestsAsRoot(await getCapabilities(ask)));
    this.#kvm = new Remembered(async () => {
      const listed = /<domain type='kvm'/.test(await getCapabilities(ask));
      return listed ? tryKvm(startGuest, clock) : undefined;
    });
    this.#cpuTuning = new Remembered(async () => {
      // Not beside the probe of KVM, which would take this guest for a leftover of its own.
      const type = await this.domainType();
      if (isQemuType(type)) return tryCpuTuning(startGuest, type);
      return { works: false, why: `nobody has tried it with ${type}` };
    });
  }

  /** Another libvirt may answer after a reconnect. Whether KVM works is a matter of the machine and is kept. */
  forget(): void {
    this.#kind.forget();
    this.#version.forget();
    this.#asRoot.forget();
    this.#cpuTuning.forget();
  }

  architecture(): Promise<string> {
    return this.#architecture.get();
  }

  kind(): Promise<HypervisorKind> {
    return this.#kind.get();
  }

  /** The first answer takes as long as the probe of KVM. */
  async domainType(): Promise<DomainType> {
    const kind = await this.kind();
    if (kind !== 'qemu') {
      return kind;
    }
    return this.#options.domainType ?? ((await this.#kvm.get())?.works === true ? 'kvm' : 'qemu');
  }

  /** The first answer takes as long as the smallest guest takes to be made. */
  cpuTuning(): Promise<CpuTuning> {
    return this.#cpuTuning.get();
  }

  async capabilities(): Promise<Capabilities> {
    const [kind, type, version] = await Promise.all([this.kind(), this.domainType(), this.#version.get()]);
    const tuning = await this.cpuTuning();
    const features = new Set(featuresOf(kind, this.#options.provisions));
    if (tuning.works) features.add('CpuGuarantees');
    const remarks = kind === 'qemu' ? await this.#remarks(type, tuning) : [];
    return { type, version, features, ...(remarks.length === 0 ? {} : { remark: remarks.join(' ') }) };
  }

  async #remarks(type: DomainType, tuning: CpuTuning): Promise<string[]> {
    const whyEmulated = type === 'qemu' ? await this.#whyEmulated() : undefined;
    const asRoot = (await this.#asRoot.get()) ? AS_ROOT : undefined;
    const untuned = tuning.works ? undefined : `CPU time cannot be guaranteed or limited: ${tuning.why}.`;
    return [whyEmulated, asRoot, untuned].filter((remark) => remark !== undefined);
  }

  async #whyEmulated(): Promise<string | undefined> {
    if (this.#options.domainType !== undefined) return undefined;
    const trial = await this.#kvm.get();
    if (trial === undefined || trial.works) return undefined;
    return `Guests are emulated: KVM is offered here, and guests do not run with it (${trial.why}).`;
  }
}

function isQemuType(type: DomainType): type is 'kvm' | 'qemu' {
  return type === 'kvm' || type === 'qemu';
}

/** Loads once, and again after a failure. */
class Remembered<T> {
  readonly #load: () => Promise<T>;
  #loading: Promise<T> | undefined;

  constructor(load: () => Promise<T>) {
    this.#load = load;
  }

  forget(): void {
    this.#loading = undefined;
  }

  get(): Promise<T> {
    const loading = this.#loading ?? this.#load();
    this.#loading = loading;
    return loading.catch((error: unknown) => {
      if (this.#loading === loading) {
        this.#loading = undefined;
      }
      throw error;
    });
  }
}
