import { expect } from 'chai';
import { LOG_LEVELS, type LogLevel } from './log.ts';
import { nearestName } from './nearest-name.ts';
import type { OptionTable } from './option-table.ts';
import { OptionsError, parseOptions } from './options.ts';

const table = {
  nodeName: { type: 'string', description: 'The node this runs on.', env: 'NODE_NAME' },
  metricsPort: {
    type: 'integer',
    default: 9090,
    description: 'Port for metrics and health.',
    validate: (port: number) => (port >= 0 && port <= 65_535 ? undefined : 'must be a port from 0 to 65535'),
  },
  dryRun: { type: 'boolean', default: false, description: 'Write nothing.' },
  logLevel: { type: 'choice', choices: LOG_LEVELS, default: 'info', description: 'What is logged.' },
  kubeconfig: { type: 'string', optional: true, description: 'How to reach the API server.' },
} as const satisfies OptionTable;

function parse(args: string[], environment: Record<string, string> = {}) {
  return parseOptions({ usage: 'usher-test [options]\n\nTests options.', table, args, environment });
}

function valuesOf(args: string[], environment: Record<string, string> = {}) {
  return parse(args, environment).values ?? expect.fail('values, not help');
}

function faultsOf(args: string[], environment: Record<string, string> = { NODE_NAME: 'n1' }): readonly string[] {
  try {
    parse(args, environment);
  } catch (error) {
    if (error instanceof OptionsError) {
      return error.faults;
    }
    throw error;
  }
  return [];
}

describe('options', () => {
  it('are read from flags, then from the environment, then from the defaults', () => {
    const values = valuesOf(['--metrics-port', '8080'], {
      NODE_NAME: 'n1',
      USHER_METRICS_PORT: '1',
      USHER_LOG_LEVEL: 'warn',
    });
    expect(values).to.deep.equal({
      nodeName: 'n1',
      metricsPort: 8080,
      dryRun: false,
      logLevel: 'warn',
      kubeconfig: undefined,
    });
  });

  it('have the types that the table says', () => {
    const values = valuesOf(['--node-name=n1', '--kubeconfig=/k']);
    const typed: { nodeName: string; metricsPort: number; dryRun: boolean; logLevel: LogLevel } = values;
    const kubeconfig: string | undefined = values.kubeconfig;
    expect([typed.nodeName, kubeconfig]).to.deep.equal(['n1', '/k']);
  });

  it('take booleans in every way they are written', () => {
    const dryRun = (args: string[], environment = {}) => valuesOf(['--node-name=n1', ...args], environment).dryRun;
    expect(dryRun(['--dry-run'])).to.equal(true);
    expect(dryRun(['--dry-run=true'])).to.equal(true);
    expect(dryRun(['--no-dry-run'], { USHER_DRY_RUN: 'true' })).to.equal(false);
    expect(dryRun(['--dry-run=false'])).to.equal(false);
    expect(dryRun([], { USHER_DRY_RUN: 'true' })).to.equal(true);
  });

  it('take an empty variable for one that is not set', () => {
    expect(valuesOf([], { NODE_NAME: 'n1', USHER_METRICS_PORT: '' }).metricsPort).to.equal(9090);
  });

  it('name the nearest flag where one is unknown', () => {
    expect(faultsOf(['--metric-port=1'])).to.deep.equal(['unknown option --metric-port: did you mean --metrics-port?']);
    expect(faultsOf(['--nothing-like-it'])).to.deep.equal(['unknown option --nothing-like-it']);
    expect(faultsOf(['-h'])).to.deep.equal(['unknown option -h']);
  });

  it('say what must be given', () => {
    expect(faultsOf([], {})).to.deep.equal([
      '--node-name is missing: give it, or set NODE_NAME (The node this runs on.)',
    ]);
    expect(faultsOf(['--metrics-port'])).to.deep.equal([
      '--metrics-port needs a value: write --metrics-port=<integer>',
    ]);
  });

  it('say where a wrong value came from and what it must be', () => {
    expect(faultsOf(['--metrics-port=70000'])).to.deep.equal([
      '--metrics-port must be a port from 0 to 65535, not "70000"',
    ]);
    expect(faultsOf([], { NODE_NAME: 'n1', USHER_METRICS_PORT: 'http' })).to.deep.equal([
      'USHER_METRICS_PORT must be a whole number, not "http"',
    ]);
    expect(faultsOf(['--dry-run=perhaps'])).to.deep.equal(['--dry-run must be true or false, not "perhaps"']);
    expect(faultsOf(['--log-level=loud'])).to.deep.equal([
      '--log-level must be one of debug, info, warn, error, not "loud"',
    ]);
  });

  it('tell all faults at once', () => {
    expect(faultsOf(['stray', '--metrics-port=x', '--dryrun'], {})).to.have.length(4);
    expect(() => parse(['stray'])).to.throw(/unexpected argument "stray"[^]*Try --help/);
  });

  it('explain themselves', () => {
    const { help } = parse(['--help', '--wrong']);
    expect(help).to.include('usher-test [options]');
    expect(help).to.include('  --metrics-port <integer>\n      Port for metrics and health. Default: 9090.');
    expect(help).to.include('Environment: USHER_METRICS_PORT.');
    expect(help).to.include('The node this runs on. Required. Environment: NODE_NAME.');
    expect(help).to.include('--[no-]dry-run');
    expect(help).to.include('--log-level <debug|info|warn|error>');
    expect(help).to.include('How to reach the API server. Environment: USHER_KUBECONFIG.');
  });

  it('are listed without a default that is empty', () => {
    const table = { labels: { type: 'string', description: 'Labels.', default: '' } } as const;
    const { help } = parseOptions({ usage: 'usher-test', table, args: ['--help'], environment: {} });
    expect(help).to.include('Labels. Environment: USHER_LABELS.');
  });
});

describe('nearestName', () => {
  it('finds what was meant', () => {
    const names = ['metrics-port', 'metrics-address', 'workers'];
    expect(nearestName('worker', names)).to.equal('workers');
    expect(nearestName('wrokers', names)).to.equal('workers');
    expect(nearestName('metrics-adress', names)).to.equal('metrics-address');
    expect(nearestName('verbose', names)).to.equal(undefined);
    expect(nearestName('workers', [])).to.equal(undefined);
  });
});
