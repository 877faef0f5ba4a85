// One story: a site, what happens there, and what is told of it. Every story ends at rest and breaks no promise.
import { expect } from 'chai';
import { expectGolden } from '#test/golden.ts';
import { closeUnbroken } from './settled.ts';
import { Site, type SiteOptions } from './site.ts';

const MINUTE = 60_000;

/** For mocha: a story takes a second or two on a machine that does nothing else. */
export const PATIENCE_MS = 60_000;

/** Plays it on a new site, and looks at the promises that every story must keep. Gives back the site, closed. */
export async function play(options: SiteOptions, happening: (site: Site) => Promise<void>): Promise<Site> {
  const site = await new Site(options).open();
  site.forgetWrites();
  await happening(site);
  await expectRest(site);
  await closeUnbroken(site);
  return site;
}

/** `play`, and what was told of it is that of golden/<name>.txt. */
export async function tell(
  name: string,
  options: SiteOptions,
  happening: (site: Site) => Promise<void>,
): Promise<void> {
  const site = await play(options, happening);
  expectGolden(new URL(`golden/${name}.txt`, import.meta.url), site.narration.text());
}

/** Once averages of usage have settled, nothing but Leases is written for an hour. */
async function expectRest(site: Site): Promise<void> {
  await site.clock.advance(20 * MINUTE);
  site.forgetWrites();
  await site.clock.advance(60 * MINUTE);
  expect(site.writes(), 'writes in an hour of rest').to.deep.equal([]);
}

/** Something happens, is told, and has so many seconds to take effect. */
export async function says(site: Site, what: string, act: () => void | Promise<void>, seconds: number): Promise<void> {
  site.narration.act(what);
  await act();
  await site.clock.advance(seconds * 1000);
}
