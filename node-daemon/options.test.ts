import { expect } from 'chai';
import { type OptionsError, parseOptions } from '#runtime/process/options.ts';
import { nodeDaemonOptions, parseLabels } from './options.ts';

describe('the options of the node daemon', () => {
  function parse(...args: string[]) {
    return parseOptions({ usage: '', table: nodeDaemonOptions, args, environment: {} });
  }

  function faultsOf(...args: string[]): readonly string[] {
    try {
      parse(...args);
      return [];
    } catch (error) {
      return (error as OptionsError).faults;
    }
  }

  it('need nothing to be given', () => {
    expect(parse().values).to.include({ driver: 'libvirt', labels: '', reservedCpus: 0, reservedMemory: '512Mi' });
  });

  it('take the longest name that a node may have here', () => {
    expect(faultsOf('--node-name', `kvm1.${'a'.repeat(58)}`)).to.deep.equal([]);
  });

  it('take labels as pairs, one without a value among them', () => {
    const { values } = parse('--labels', 'rack=r1,usher.dev/zone=a.b,spare=');
    expect(parseLabels(values?.labels ?? '')).to.deep.equal({ rack: 'r1', 'usher.dev/zone': 'a.b', spare: '' });
    expect(parseLabels('')).to.deep.equal({});
  });

  const refused: [string[], string][] = [
    [['--node-name', ''], nodeNameFault('')],
    [['--node-name', 'Node-A'], nodeNameFault('Node-A')],
    [['--node-name', 'a'.repeat(64)], nodeNameFault('a'.repeat(64))],
    [['--labels', 'rack'], '--labels must be label=value pairs joined by commas, not "rack"'],
    [['--labels', 'a=b=c'], '--labels must be label=value pairs joined by commas, not "a=b=c"'],
    [['--reserved-memory', 'much'], '--reserved-memory must be a quantity such as 512Mi, not "much"'],
    [['--reserved-cpus=-1'], '--reserved-cpus must not be negative, not "-1"'],
    [['--heartbeat-interval-seconds', '0'], '--heartbeat-interval-seconds must be at least 1, not "0"'],
  ];
  for (const [args, fault] of refused) {
    it(`refuse ${args.join(' ')}, naming the flag`, () => expect(faultsOf(...args)).to.deep.equal([fault]));
  }
});

function nodeNameFault(name: string): string {
  const form = 'lower-case letters, digits, dashes and dots, at most 63 characters';
  return `--node-name must be the name of a Node: ${form}, not "${name}"`;
}
