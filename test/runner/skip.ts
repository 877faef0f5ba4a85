// A test that cannot run here says why: the reason goes with it into the run's closing list.

import type { Context, Runnable, Suite } from 'mocha';

const reasons = new WeakMap<Runnable | Suite, string>();

/** From a test, or from a hook for the suite it belongs to: skips with a reason, and never returns. */
export function skip(context: Context, reason: string): never {
  const current = context.test;
  const owner = current !== undefined && isHook(current) ? current.parent : current;
  if (owner !== undefined) reasons.set(owner, reason);
  return context.skip();
}

function isHook(runnable: Runnable): boolean {
  return 'type' in runnable && runnable.type === 'hook';
}

/** The reason given for the test itself or for the nearest suite around it. */
export function skipReason(test: Runnable): string | undefined {
  const own = reasons.get(test);
  if (own !== undefined) return own;
  for (let suite = test.parent; suite !== undefined; suite = suite.parent) {
    const inherited = reasons.get(suite);
    if (inherited !== undefined) return inherited;
  }
  return undefined;
}
