import { expect } from 'chai';
import { VirtualClock } from '../clock/virtual.ts';
import { giveMemoryBackAtRest } from './memory-at-rest.ts';

const MEBIBYTE = 2 ** 20;

describe('memory at rest', () => {
  it('is given back once the work is done, and only then', async () => {
    const clock = new VirtualClock();
    const ended = new AbortController();
    const giving = giveMemoryBackAtRest(clock, ended.signal);
    let work: object[] = Array.from({ length: 400_000 }, (_, index) => ({ index, text: `object ${index}` }));
    await clock.advance(20_000);
    const busy = process.memoryUsage().heapTotal;
    expect(work).to.have.length(400_000);
    work = [];
    await new Promise((resolve) => setTimeout(resolve, 500));
    await clock.advance(20_000);
    expect(busy - process.memoryUsage().heapTotal).to.be.greaterThan(16 * MEBIBYTE);
    ended.abort();
    await giving;
  });
});
