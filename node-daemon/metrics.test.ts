import { expect } from 'chai';
import { Registry } from 'prom-client';
import { guestMetrics } from './metrics.ts';

describe('what the daemon counts of guests', () => {
  it('is how they ended and by whose doing, and how many nobody declared', async () => {
    const registry = new Registry();
    const metrics = guestMetrics(registry);
    metrics.ended({ reason: 'Crashed', initiator: 'Guest' });
    metrics.ended({ reason: 'DestroyedOnHost', initiator: 'Host' });
    metrics.ended({ reason: 'DestroyedOnHost', initiator: 'Host' });
    metrics.unmanaged(3);
    const lines = (await registry.metrics()).split('\n').filter((line) => line.startsWith('usher_'));
    expect(lines).to.deep.equal([
      'usher_guest_ends_total{reason="Crashed",initiator="Guest"} 1',
      'usher_guest_ends_total{reason="DestroyedOnHost",initiator="Host"} 2',
      'usher_unmanaged_guests 3',
    ]);
  });
});
