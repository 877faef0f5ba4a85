// What the guard of a machine does at a moment. Pure: orders and the time in, what to do with its reason out.
import type { GuardedGuest, Orders } from './orders.ts';

export type GuardPlan =
  | { readonly kind: 'Idle'; readonly reason: string }
  | { readonly kind: 'Watch'; readonly reason: string }
  | { readonly kind: 'Stop'; readonly guests: readonly GuardedGuest[]; readonly reason: string };

export interface Moment {
  readonly bootID: string;
  /** Milliseconds since the boot. */
  readonly bootTime: number;
}

/**
 * Total. Without orders nothing is done: a guard that was never told anything guards nobody. It goes on stopping whatever
 * of its list appears until the Lease is renewed again.
 */
export function planGuard(orders: Orders | undefined, { bootID, bootTime }: Moment): GuardPlan {
  if (orders === undefined) return { kind: 'Idle', reason: 'no daemon has given orders yet' };
  if (orders.bootID !== bootID) return { kind: 'Idle', reason: 'the orders are of an earlier boot of this machine' };
  if (orders.guests.length === 0) return { kind: 'Idle', reason: 'no guest is to be guarded' };
  const left = orders.renewedAt + orders.deadlineSeconds * 1000 - bootTime;
  if (left > 0) return { kind: 'Watch', reason: `the Lease is good for ${Math.ceil(left / 1000)} s more` };
  const reason = `the Lease of this machine was not renewed for ${orders.deadlineSeconds} s`;
  return { kind: 'Stop', guests: orders.guests, reason };
}
