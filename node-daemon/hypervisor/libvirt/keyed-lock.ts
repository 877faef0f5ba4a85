// One at a time for each key, in the order of asking; different keys do not wait for each other.

export class KeyedLock {
  readonly #tails = new Map<string, Promise<void>>();

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key);
    const { promise: mine, resolve: leave } = Promise.withResolvers<void>();
    this.#tails.set(key, mine);
    try {
      await before;
      return await work();
    } finally {
      leave();
      if (this.#tails.get(key) === mine) {
        this.#tails.delete(key);
      }
    }
  }
}
