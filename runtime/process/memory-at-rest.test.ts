import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';

const MEBIBYTE = 2 ** 20;
const CHILD = fileURLToPath(new URL('memory-at-rest.child.ts', import.meta.url));

describe('memory at rest', () => {
  it('is given back once the work is done, and not before', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [CHILD]);
    const { before, busy, rested } = JSON.parse(stdout) as Record<'before' | 'busy' | 'rested', number>;
    expect(busy - before, 'while it works').to.be.greaterThan(16 * MEBIBYTE);
    expect(busy - rested, 'after it').to.be.greaterThan(16 * MEBIBYTE);
  });
});
