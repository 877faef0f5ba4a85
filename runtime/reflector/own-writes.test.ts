import { expect } from 'chai';
import { OwnWrites } from './own-writes.ts';

function object(resourceVersion: string, uid = 'a') {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', uid, resourceVersion } };
}

describe('own writes', () => {
  it('stand in for a cache that is behind, and give way once it has caught up', () => {
    const writes = new OwnWrites<ReturnType<typeof object>>();
    writes.remember(object('12'));
    expect(writes.latest(object('9')).metadata.resourceVersion).to.equal('12');
    expect(writes.latest(object('12')).metadata.resourceVersion).to.equal('12');
    expect(writes.latest(object('9')).metadata.resourceVersion).to.equal('9');
  });

  it('say nothing about a successor of the same name', () => {
    const writes = new OwnWrites<ReturnType<typeof object>>();
    writes.remember(object('12'));
    expect(writes.latest(object('9', 'b')).metadata.resourceVersion).to.equal('9');
  });

  it('are forgotten on request', () => {
    const writes = new OwnWrites<ReturnType<typeof object>>();
    writes.remember(object('12'));
    writes.forget('a');
    expect(writes.latest(object('9')).metadata.resourceVersion).to.equal('9');
  });
});
