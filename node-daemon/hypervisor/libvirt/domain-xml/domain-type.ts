// The kinds of domain that are built, and what a section needs to know of the hypervisor besides the definition.

/** libvirt's word for how a domain is virtualized: hardware, emulation, Xen, containers, or its own mock-up. */
export type DomainType = 'kvm' | 'qemu' | 'xen' | 'lxc' | 'test';

export interface BuildContext {
  readonly type: DomainType;
  /** As libvirt spells it, for example x86_64. */
  readonly architecture: string;
  /** Absolute paths of the files that the definition names. Only with a kernel. */
  readonly bootFiles?: { readonly image: string; readonly initrd?: string };
  /** Absolute path that the serial console is written to as well. */
  readonly consoleLog?: string;
  /** What a guest weighs that says nothing about CPU time. Only where the definition says something. */
  readonly defaultShares?: number;
  /** Absolute paths of volumes by the disk's name. Only for containers, which mount them. */
  readonly volumePaths?: ReadonlyMap<string, string>;
}

/** Emulated and hardware-assisted domains are QEMU's both. */
export function isQemu(context: BuildContext): boolean {
  return context.type === 'kvm' || context.type === 'qemu';
}

export function isX86(context: BuildContext): boolean {
  return context.architecture === 'x86_64' || context.architecture === 'i686';
}
