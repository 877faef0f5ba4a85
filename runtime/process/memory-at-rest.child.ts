// For memory-at-rest.test.ts: works, rests, and prints how large its heap was. A process of its own: what other tests
// leave in theirs would drown it.
import { setTimeout as rest } from 'node:timers/promises';
import { VirtualClock } from '../clock/virtual.ts';
import { giveMemoryBackAtRest } from './memory-at-rest.ts';

const LOOK_MS = 20_000;
const ended = new AbortController();
const clock = new VirtualClock();
const giving = giveMemoryBackAtRest(clock, ended.signal);
const before = process.memoryUsage().heapTotal;
let work: object[] = Array.from({ length: 400_000 }, (_, index) => ({ index, text: `object ${index}` }));
await clock.advance(LOOK_MS);
const busy = work.length > 0 ? process.memoryUsage().heapTotal : 0;
work = [];
await rest(1_000);
await clock.advance(LOOK_MS);
const rested = process.memoryUsage().heapTotal;
ended.abort();
await giving;
process.stdout.write(JSON.stringify({ before, busy, rested }));
