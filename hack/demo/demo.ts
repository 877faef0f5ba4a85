// make demo and make demo-down.
import { announce } from '../progress.ts';
import { demoDown } from './down.ts';
import { demoUp } from './up.ts';

const commands = { up: demoUp, down: demoDown };

const [verb = ''] = process.argv.slice(2);
if (verb !== 'up' && verb !== 'down') {
  announce('Say what to do with the demo: node hack/demo/demo.ts up|down');
  process.exitCode = 2;
} else {
  try {
    await commands[verb]();
  } catch (error) {
    announce(
      `\nThe demo ${verb === 'up' ? 'did not come up' : 'could not be removed'}: ${error instanceof Error ? error.message : String(error)}`,
    );
    process.exitCode = 1;
  }
}
