// What the demo prints: headings, the commands a user would type, and what they answer.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { styleText } from 'node:util';
import type { ControlPlane } from '../control-plane/control-plane.ts';
import { kubectlFlags } from '../control-plane/kubectl.ts';

let chapters = 0;

/** Opens a chapter, which has the next number: simulated guests have one less. */
export function heading(text: string): void {
  chapters += 1;
  process.stdout.write(`\n${styleText('bold', `${chapters}. ${text}`)}\n`);
}

/** A line to the user. */
export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** The answer to a command, set apart from what the demo itself says. */
export function indented(text: string): void {
  say(text.replaceAll(/^/gm, '    '));
}

export class Kubectl {
  readonly #program: string;
  readonly #base: readonly string[];

  constructor(controlPlane: ControlPlane) {
    this.#program = controlPlane.kubectl;
    this.#base = kubectlFlags(controlPlane);
  }

  /** Shows the command and its answer. Rejects where it fails. */
  async show(...args: string[]): Promise<void> {
    say(styleText('cyan', `  $ kubectl ${args.map(quoted).join(' ')}`));
    const failed = await this.#run(args, 'shown');
    if (failed !== undefined) throw new Error(failed);
  }

  /** Asks in silence. Gives what kubectl complains of; undefined where it is content. */
  async complaint(...args: string[]): Promise<string | undefined> {
    return this.#run(args, 'silent');
  }

  /** Shows `get --watch` for as long as `work` lasts. */
  async watching(args: readonly string[], work: () => Promise<void>): Promise<void> {
    say(styleText('cyan', `  $ kubectl ${args.join(' ')}`));
    const child = spawn(this.#program, [...this.#base, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    createInterface({ input: child.stdout }).on('line', indented);
    try {
      await work();
    } finally {
      child.kill();
      await once(child, 'close');
    }
  }

  async #run(args: readonly string[], mode: 'shown' | 'silent'): Promise<string | undefined> {
    const child = spawn(this.#program, [...this.#base, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let [answer, complaint] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      answer += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint += text;
    });
    const [status] = await once(child, 'close');
    if (mode === 'shown' && answer !== '') indented(answer.trimEnd());
    return status === 0 ? undefined : `kubectl ${args.join(' ')}: ${complaint.trim()}`;
  }
}

function quoted(argument: string): string {
  return /[\s'"{}?*]/.test(argument) ? `'${argument}'` : argument;
}
