// A guest that counts: whatever is done to it, one that is not booted anew goes on with the same count.
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { until } from '#hack/until.ts';
import type { SiteUnderTest } from '../../site/describe-site.ts';
import { countsOf, hostOf } from '../../site/guests.ts';

/** The guest image's switch for it. */
export const COUNTS = 'usher.count=1';

export class Counting {
  readonly #under: () => SiteUnderTest;
  readonly #vm: string;

  constructor(under: () => SiteUnderTest, vm: string) {
    this.#under = under;
    this.#vm = vm;
  }

  async counts(): Promise<number[]> {
    return countsOf(hostOf(this.#under().site, 'hv1'), this.#vm);
  }

  async counted(): Promise<number> {
    return (await this.counts()).at(-1) ?? 0;
  }

  async goesOn(): Promise<number> {
    const wanted = (await this.counted()) + 2;
    await until(`${this.#vm} has counted to ${wanted}`, 90, async () => (await this.counted()) >= wanted);
    return wanted;
  }

  /** Gives back how far it had counted. */
  async standsStill(): Promise<number> {
    await delay(500); // what it had said may still be on its way
    const before = await this.counted();
    await delay(3_000);
    expect(await this.counted(), 'it counts').to.equal(before);
    return before;
  }

  /** From the first number to the last none was left out, and none said twice. */
  async isOneCount(): Promise<void> {
    const all = await this.counts();
    expect(all).to.deep.equal(all.map((_number, index) => index + 1));
  }
}
