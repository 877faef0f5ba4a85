// Measurements that run side by side take turns with what would disturb them: while processor time is measured nobody
// works, and who keeps the machine busy does so alone. What only waits, or counts bytes and writes, needs no turn.

/** Starting sites and resting go well together with their like; a load goes with nothing. */
export type Turn = 'Start' | 'Load' | 'Rest';

interface Waiting {
  readonly turn: Turn;
  readonly begin: () => void;
}

export class Turns {
  /** Of one kind. */
  #holders = 0;
  #held: Turn = 'Start';
  readonly #waiting: Waiting[] = [];

  /** Waits for its turn, in the order of asking. */
  async during<T>(turn: Turn, act: () => Promise<T>): Promise<T> {
    await new Promise<void>((begin) => {
      this.#waiting.push({ turn, begin });
      this.#next();
    });
    try {
      return await act();
    } finally {
      this.#holders -= 1;
      this.#next();
    }
  }

  #next(): void {
    for (let first = this.#waiting[0]; first !== undefined && this.#fits(first.turn); first = this.#waiting[0]) {
      this.#waiting.shift();
      this.#holders += 1;
      this.#held = first.turn;
      first.begin();
    }
  }

  #fits(turn: Turn): boolean {
    return this.#holders === 0 || (turn === this.#held && turn !== 'Load');
  }
}
