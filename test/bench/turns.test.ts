import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { type Turn, Turns } from './turns.ts';

describe('turns of measurements', () => {
  /** What each began, in order, with who else was at it. */
  async function told(asked: readonly Turn[]): Promise<string[]> {
    const turns = new Turns();
    const lines: string[] = [];
    const now = new Set<string>();
    const take = async (turn: Turn, index: number): Promise<void> =>
      turns.during(turn, async () => {
        now.add(`${turn} ${index}`);
        lines.push([...now].join(' + '));
        await delay(1);
        now.delete(`${turn} ${index}`);
      });
    await Promise.all(asked.map(take));
    return lines;
  }

  it('let sites start beside each other, and one rest beside another', async () => {
    expect(await told(['Start', 'Start'])).to.deep.equal(['Start 0', 'Start 0 + Start 1']);
    expect(await told(['Rest', 'Rest'])).to.deep.equal(['Rest 0', 'Rest 0 + Rest 1']);
  });

  it('let a load be alone, and everybody be in the order of asking', async () => {
    expect(await told(['Rest', 'Load', 'Load', 'Rest', 'Start'])).to.deep.equal([
      'Rest 0',
      'Load 1',
      'Load 2',
      'Rest 3',
      'Start 4',
    ]);
  });

  it('are over where what was done in one failed', async () => {
    const turns = new Turns();
    const failed = await turns.during('Load', async () => Promise.reject(new Error('no'))).catch(() => 'failed');
    expect([failed, await turns.during('Rest', async () => 'rested')]).to.deep.equal(['failed', 'rested']);
  });
});
