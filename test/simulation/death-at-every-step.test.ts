// Whatever was just asked of the world may have been the last thing before the power went.
import { expect } from 'chai';
import { scenarios } from './scenarios.ts';
import { begin, DEAD_MS, type Death, deathsIn, live, PROCESSES, type Steps } from './sweep.ts';

/** Two seconds on a machine that does nothing else. */
const PATIENCE_MS = 300_000;

describe('a death of the operator or a daemon, at every step,', () => {
  /** So that it shows where there is less to try than there was. */
  const covered: string[] = [];
  after(() => process.stdout.write(covered.map((line) => `      ${line}\n`).join('')));

  it('while a site begins', async () => {
    const steps = await begin();
    expectInOrder(steps, {
      operator: ['list VirtualMachine', 'list Hypervisor', 'create Lease', 'mergePatch Hypervisor'],
      hv1: ['create Hypervisor', 'list VirtualMachine', 'list', 'mergePatch Hypervisor'],
    });
    covered.push(`a site begins: ${await sweep(steps, begin)}`);
  }).timeout(PATIENCE_MS);

  for (const scenario of scenarios) {
    it(`while a VM ${scenario.title}`, async () => {
      const { steps, writes } = await live(scenario);
      expectInOrder(steps, scenario.protocol);
      const swept = await sweep(steps, async (death) => {
        const { writes: all } = await live(scenario, death);
        const most = writes + (scenario.unseen ?? 0) + (scenario.refusals ?? 0);
        if (death.fate.forMilliseconds === DEAD_MS) expect(all, 'writes of VMs').to.be.at.most(most);
      });
      covered.push(`${scenario.title}: ${swept}`);
    }).timeout(PATIENCE_MS);
  }
});

function expectInOrder(steps: Steps, protocol: Readonly<Partial<Record<string, readonly string[]>>>): void {
  for (const of of PROCESSES) {
    const [done, asked] = [steps[of].map(({ what }) => what), protocol[of] ?? []];
    const undone = asked.slice(done.reduce((count, what) => count + (what === asked[count] ? 1 : 0), 0));
    expect(undone, `what ${of} left undone, having done ${done.join(', ')}`).to.deep.equal([]);
  }
}

/** Says how much there was to try. */
async function sweep(steps: Steps, relive: (death: Death) => Promise<unknown>): Promise<string> {
  const deaths = deathsIn(steps);
  for (const death of deaths) {
    const { step, moment } = death.fate;
    try {
      await relive(death);
    } catch (error) {
      const when = `death of ${death.of} ${moment} step ${step}, ${steps[death.of][step - 1]?.what}`;
      throw new Error(`${when}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
  const counts = PROCESSES.map((of) => `${of} ${steps[of].length}`).join(', ');
  return `${counts} steps, ${deaths.length} deaths`;
}
