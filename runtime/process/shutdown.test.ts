import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

/** A process that, once asked to stop, takes `takesMs` for it; it says "ready" and "stopping". */
async function start(takesMs: number): Promise<{ child: ChildProcess; says: (word: string) => Promise<void> }> {
  const script = `
    import { shutdownSignal } from './shutdown.ts';
    import { silentLogger } from './log.ts';
    const alive = setTimeout(() => {}, 60_000);
    shutdownSignal(silentLogger).addEventListener('abort', () => {
      console.log('stopping');
      clearTimeout(alive);
      setTimeout(() => {}, ${takesMs});
    });
    console.log('ready');`;
  const cwd = fileURLToPath(new URL('.', import.meta.url));
  const args = ['--input-type=module', '--eval', script];
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout?.on('data', (data: Buffer) => {
    text += data.toString();
  });
  const says = async (word: string) => {
    while (!text.includes(word)) {
      await once(child.stdout ?? child, 'data');
    }
  };
  await says('ready');
  return { child, says };
}

describe('the shutdown signal', () => {
  it('aborts at SIGTERM and lets the process end in its own time', async () => {
    const { child } = await start(0);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).to.deep.equal([0, null]);
  });

  it('leaves at once when asked a second time', async () => {
    const { child, says } = await start(60_000);
    child.kill('SIGTERM');
    await says('stopping');
    child.kill('SIGINT');
    expect(await once(child, 'exit')).to.deep.equal([130, null]);
  });
});
