import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { KubeError } from '../kube/errors.ts';
import { createLog, type LogLevel, plainError, silentLogger } from './log.ts';

const NOON = Date.parse('2026-03-01T12:00:00Z');

function capture(level: LogLevel = 'info') {
  const stream = new PassThrough();
  const log = createLog({ level, clock: { now: () => NOON }, stream, fields: { component: 'tested' } });
  const lines = (): Record<string, unknown>[] =>
    String(stream.read() ?? '')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  return { log, lines };
}

describe('the log', () => {
  it('writes one JSON object a line with level, time and message first', () => {
    const { log, lines } = capture();
    log.info('placed', { key: 'default/one' });
    const [line] = lines();
    expect(Object.keys(line ?? {})).to.deep.equal(['level', 'time', 'msg', 'component', 'key']);
    expect(line).to.deep.equal({
      level: 'info',
      time: '2026-03-01T12:00:00.000Z',
      msg: 'placed',
      component: 'tested',
      key: 'default/one',
    });
  });

  it('leaves out what is below its level', () => {
    const { log, lines } = capture('warn');
    log.debug('no');
    log.info('no');
    log.warn('yes');
    log.error('yes');
    expect(lines().map(({ level }) => level)).to.deep.equal(['warn', 'error']);
  });

  it('hands the fields of a parent down to its children', () => {
    const { log, lines } = capture();
    log.child({ node: 'n1' }).child({ key: 'a' }).info('seen', { key: 'b' });
    expect(lines()[0]).to.include({ component: 'tested', node: 'n1', key: 'b' });
  });

  it('does not let a field take the place of level, time or message', () => {
    const { log, lines } = capture();
    log.info('true', { msg: 'false', level: 'false', time: 'false' });
    expect(lines()[0]).to.include({ level: 'info', msg: 'true', time: '2026-03-01T12:00:00.000Z' });
  });

  it('writes errors with their stack and causes', () => {
    const { log, lines } = capture();
    log.error('failed', { error: new TypeError('no function', { cause: new Error('nor that') }) });
    const written = lines()[0]?.['error'] as Record<string, unknown>;
    expect(written).to.include({ name: 'TypeError', message: 'no function' });
    expect(written['stack']).to.match(/log\.test\.ts/);
    expect(written['cause']).to.include({ name: 'Error', message: 'nor that' });
    expect(written['cause']).to.have.property('stack');
  });

  it('writes errors that are reckoned with by their reason and causes, without a stack', () => {
    const { log, lines } = capture();
    const cause = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:6443'), { code: 'ECONNREFUSED' });
    log.warn('failed', { error: new KubeError('Unreachable', 'no answer', { cause }) });
    expect(lines()[0]?.['error']).to.deep.equal({
      name: 'KubeError',
      message: 'no answer',
      reason: 'Unreachable',
      cause: { name: 'Error', message: 'connect ECONNREFUSED 127.0.0.1:6443', code: 'ECONNREFUSED' },
    });
  });

  it('shows where a fault of our own was made that became an error that is reckoned with', () => {
    const { log, lines } = capture();
    log.warn('failed', { error: new KubeError('Internal', 'a fault', { cause: new TypeError('no function') }) });
    const written = lines()[0]?.['error'] as { cause: Record<string, unknown> };
    expect(written).not.to.have.property('stack');
    expect(written.cause['stack']).to.match(/log\.test\.ts/);
  });

  it('cuts a circle of causes short', () => {
    const error = new Error('round');
    error.cause = error;
    expect(JSON.stringify(plainError(error)).length).to.be.lessThan(20_000);
  });

  it('says that fields cannot be written rather than throwing', () => {
    const { log, lines } = capture();
    const circle: Record<string, unknown> = { size: 1n };
    log.info('large', circle);
    circle['self'] = circle;
    log.info('round', circle);
    expect(lines().map((line) => [line['msg'], line['size'], 'unwritable' in line])).to.deep.equal([
      ['large', '1', false],
      ['round', undefined, true],
    ]);
  });

  it('has a silent form', () => {
    silentLogger.child({ a: 1 }).error('nothing is written');
  });
});
