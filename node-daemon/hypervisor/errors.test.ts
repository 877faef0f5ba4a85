import { expect } from 'chai';
import { DriverError, isUnanswered } from './errors.ts';

describe('the error of a driver', () => {
  it('keeps what a hypervisor said', () => {
    expect(new DriverError('Failed', 'no such file: /boot/vmlinuz').message).to.equal('no such file: /boot/vmlinuz');
  });

  it('cuts off what would fit into no condition, and breaks no character by that', () => {
    const { message } = new DriverError('Failed', '🙂'.repeat(1_000_000));
    expect(message.length).to.be.at.most(1_024);
    expect(message).to.match(/…$/);
    expect(message.isWellFormed()).to.equal(true);
  });

  it('tells a refusal from the lack of an answer', () => {
    const unanswered = ['Unreachable', 'Timeout'] as const;
    const refusals = ['NotFound', 'Busy', 'Conflict', 'Invalid', 'Unsupported', 'NoRoom', 'Failed'] as const;
    for (const reason of unanswered) expect(isUnanswered(new DriverError(reason, 'no')), reason).to.equal(true);
    for (const reason of refusals) expect(isUnanswered(new DriverError(reason, 'no')), reason).to.equal(false);
    expect(isUnanswered(new Error('Timeout'))).to.equal(false);
  });
});
