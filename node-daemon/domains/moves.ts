// What this daemon itself knows of the guests that move from here or to here. Losing it on a restart costs an attempt,
// never a guest: what counts is what the hypervisors show and the status says.

/** What became of the call that moves a guest from here. Announced: the status says that it begins. */
export type OwnMove =
  | { readonly attempt: number; readonly kind: 'Announced' | 'Underway' }
  | { readonly attempt: number; readonly kind: 'Ended'; readonly reason: string };

export class Moves {
  readonly #own = new Map<string, OwnMove>();
  readonly #looks = new Map<string, { readonly as: string; readonly since: number }>();

  /** Undefined where this process has done nothing about this attempt. */
  own(uuid: string, attempt: number): OwnMove | undefined {
    const move = this.#own.get(uuid);
    return move?.attempt === attempt ? move : undefined;
  }

  remember(uuid: string, move: OwnMove): void {
    this.#own.set(uuid, move);
  }

  /** For how long the guest has looked like this, given in words, at every look since. */
  looksFor(uuid: string, as: string, now: number): number {
    const before = this.#looks.get(uuid);
    if (before?.as === as) return now - before.since;
    this.#looks.set(uuid, { as, since: now });
    return 0;
  }

  forget(uuid: string): void {
    this.#own.delete(uuid);
    this.#looks.delete(uuid);
  }
}
