// The port to whatever can make sure that a machine is off: a power switch, a management controller, a cloud's API.

export interface FenceRequest {
  readonly hypervisor: string;
  /** The boot of the machine that is to end; undefined where its daemon never told. */
  readonly bootID: string | undefined;
  /** In words, for whoever keeps records. */
  readonly reason: string;
}

export type FenceOutcome =
  /** The machine was off, or had lost this boot, at some moment since the call began. */
  { readonly kind: 'Fenced'; readonly message: string } | { readonly kind: 'Failed'; readonly why: string };

export interface Fencer {
  /** Begins anew with every call, and may be called again for a machine that is off. Never claims what it has not seen. */
  fence(request: FenceRequest, signal: AbortSignal): Promise<FenceOutcome>;
}
