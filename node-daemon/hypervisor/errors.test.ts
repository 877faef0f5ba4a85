import { expect } from 'chai';
import { DriverError } from './errors.ts';

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
});
