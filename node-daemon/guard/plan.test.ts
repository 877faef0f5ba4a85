import { expect } from 'chai';
import fc from 'fast-check';
import type { Orders } from './orders.ts';
import { planGuard } from './plan.ts';

const WEB = { uuid: 'u-web', name: 'team/web' };
const ORDERS: Orders = { seq: 1, bootID: 'boot', renewedAt: 100_000, deadlineSeconds: 60, guests: [WEB] };
const at = (bootTime: number) => ({ bootID: 'boot', bootTime });

describe('what a guard does', () => {
  const table: [string, Orders | undefined, { bootID: string; bootTime: number }, string][] = [
    ['is nothing before it was told anything', undefined, at(0), 'Idle'],
    ['is nothing where nobody is to be guarded', { ...ORDERS, guests: [] }, at(900_000), 'Idle'],
    ['is nothing on orders of an earlier boot', ORDERS, { bootID: 'other', bootTime: 900_000 }, 'Idle'],
    ['is to watch while the Lease is good', ORDERS, at(159_999), 'Watch'],
    ['is to stop them when it has run out', ORDERS, at(160_000), 'Stop'],
    ['is to go on stopping whatever of them appears', ORDERS, at(9_999_999), 'Stop'],
  ];
  for (const [title, orders, moment, expected] of table) {
    it(title, () => expect(planGuard(orders, moment).kind).to.equal(expected));
  }

  it('is never to stop anybody before the deadline, and always after it', () => {
    const orders = fc.record({
      seq: fc.nat(),
      bootID: fc.constant('boot'),
      renewedAt: fc.nat(),
      deadlineSeconds: fc.integer({ min: 1, max: 86_400 }),
      guests: fc.array(fc.constant(WEB), { minLength: 1, maxLength: 3 }),
    });
    fc.assert(
      fc.property(orders, fc.nat(), (given, bootTime) => {
        const overdue = bootTime - given.renewedAt >= given.deadlineSeconds * 1000;
        expect(planGuard(given, at(bootTime)).kind).to.equal(overdue ? 'Stop' : 'Watch');
      }),
    );
  });
});
