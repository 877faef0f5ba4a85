import { expect } from 'chai';
import { RunningProgram } from './running-program.ts';

export function describeOptions(): void {
  describe('options', () => {
    it('are all answered at once, each by its name, and the program ends with status 2', async () => {
      const wrong = [
        '--log-level',
        'loud',
        '--metrics-port=99999',
        '--silence-timeout-seconds=1',
        '--kubeconfg=x',
        'y',
      ];
      const program = new RunningProgram('operator/main.ts', wrong);
      expect(await program.ended()).to.equal(2);
      expect(program.output.split('\n')).to.deep.equal([
        'usher-operator: unknown option --kubeconfg: did you mean --kubeconfig?',
        'unexpected argument "y": options begin with --',
        '--log-level must be one of debug, info, warn, error, not "loud"',
        '--metrics-port must be from 0 to 65535, not "99999"',
        '--silence-timeout-seconds must be at least 2, not "1"',
        'Try --help.',
        '',
      ]);
    });

    it('of a daemon are, too', async () => {
      const wrong = ['--node-name=No_Name', '--labels=a', '--reserved-memory=lots', '--reserved-cpus=-1'];
      const program = new RunningProgram('node-daemon/main.ts', wrong);
      expect(await program.ended()).to.equal(2);
      expect(program.output.split('\n')).to.deep.equal([
        'usher-node-daemon: --node-name must be the name of a Node: lower-case letters, digits, dashes and dots, at most 63 characters, not "No_Name"',
        '--labels must be label=value pairs joined by commas, not "a"',
        '--reserved-cpus must not be negative, not "-1"',
        '--reserved-memory must be a quantity such as 512Mi, not "lots"',
        'Try --help.',
        '',
      ]);
    });
  });
}
