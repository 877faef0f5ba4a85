// `make churn`, or `node test/bench/churn.ts [minutes]`: five VMs are created and five deleted every second, for ten minutes
// unless told otherwise, on simulated hypervisors. Prints a line a minute, and in the end whether memory, sockets and queues
// are flat. The exit code is 1 where they are not.
import { setTimeout as delay } from 'node:timers/promises';
import { flatness } from './churn/flatness.ts';
import { LifeAndDeath } from './churn/life-and-death.ts';
import { HEADING, lineOf, type Minute, minuteOf } from './churn/minute.ts';
import { type Sample, Sampler } from './churn/sample.ts';
import { withSite } from './site.ts';

const NODES = 10;
/** A minute has several collections of garbage, and the least heap is what one of them left. */
const SAMPLE_MS = 2_000;
const MINUTE_MS = 60_000;

/** Left alone, V8 lets the space for new objects grow to 128 MiB with so much garbage, and hides what else grows. */
process.env['NODE_OPTIONS'] = '--max-semi-space-size=8';

const count = Number(process.argv[2] ?? 10);
if (!Number.isInteger(count) || count < 3) throw new RangeError('say for how many minutes, at least 3');

await withSite({ audit: false }, async (site) => {
  await site.startUsher(NODES);
  const sampler = await Sampler.of(site);
  const churn = new LifeAndDeath(site.user);
  await churn.begin();
  const minutes = await watch(sampler, churn);
  const { created, failures } = await churn.end();
  const { isFlat, lines } = flatness(minutes);
  say(`\n${created} VMs came and went, in the last third of the time beside the one before it:`);
  for (const line of lines) say(line);
  for (const failure of failures.slice(0, 5)) say(`FAILED ${failure}`);
  process.exitCode = isFlat && failures.length === 0 ? 0 : 1;
});

async function watch(sampler: Sampler, churn: LifeAndDeath): Promise<Minute[]> {
  say(HEADING);
  const minutes: Minute[] = [];
  for (let number = 1; number <= count; number += 1) {
    const minute = minuteOf(await samplesOfAMinute(sampler), churn.living());
    minutes.push(minute);
    say(lineOf(number, minute));
  }
  return minutes;
}

async function samplesOfAMinute(sampler: Sampler): Promise<Sample[]> {
  const samples: Sample[] = [];
  const end = performance.now() + MINUTE_MS;
  while (performance.now() < end) {
    samples.push(await sampler.sample());
    await delay(SAMPLE_MS);
  }
  return samples;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
