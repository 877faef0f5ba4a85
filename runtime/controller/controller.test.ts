import { expect } from 'chai';
import { settle, VirtualClock } from '../clock/virtual.ts';
import { KubeError } from '../kube/errors.ts';
import type { LogFields, Logger } from '../process/log.ts';
import { Controller, type ControllerOptions, type Reconcile, type ReconcileOutcome } from './controller.ts';

interface Line extends LogFields {
  level: string;
  message: string;
}

function recordingLogger(lines: Line[], bound: LogFields = {}): Logger {
  const at = (level: string) => (message: string, fields?: LogFields) => {
    lines.push({ level, message, ...bound, ...fields });
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => recordingLogger(lines, { ...bound, ...fields }),
  };
}

function start(reconcile: Reconcile, options: Partial<ControllerOptions> = {}) {
  const clock = new VirtualClock();
  const lines: Line[] = [];
  const outcomes: ReconcileOutcome[] = [];
  const controller = new Controller({
    name: 'gadget',
    reconcile,
    clock,
    random: () => 0,
    logger: recordingLogger(lines),
    backoff: { baseMs: 100, maxMs: 1000 },
    observer: { reconciled: (outcome) => outcomes.push(outcome) },
    ...options,
  });
  const stop = new AbortController();
  const abandon = new AbortController();
  const stopped = controller.run(stop.signal, abandon.signal);
  return { clock, lines, outcomes, controller, stop, abandon, stopped };
}

/** A reconcile that fails with these errors in turn, and then succeeds; `times` says when it was called. */
function failing(clock: () => VirtualClock, errors: unknown[]) {
  const times: number[] = [];
  const reconcile: Reconcile = async () => {
    times.push(clock().monotonic());
    const error = errors[times.length - 1];
    if (error !== undefined) {
      throw error;
    }
    return {};
  };
  return { reconcile, times };
}

const conflict = () => new KubeError('Conflict', 'changed meanwhile');

describe('the controller', () => {
  it('reconciles what is enqueued, before and after it runs', async () => {
    const seen: string[] = [];
    const { controller, stop, stopped, outcomes } = start(async (key) => {
      seen.push(key);
      return {};
    });
    controller.enqueue('default/one');
    controller.enqueue('default/two');
    await settle();
    expect(seen).to.deep.equal(['default/one', 'default/two']);
    expect(outcomes).to.deep.equal(['done', 'done']);
    stop.abort();
    await stopped;
  });

  it('comes back when the reconcile asks for it', async () => {
    let calls = 0;
    const { controller, clock, outcomes } = start(async () => {
      calls += 1;
      return calls === 1 ? { again: 5000 } : {};
    });
    controller.enqueue('a');
    await clock.advance(4999);
    expect(calls).to.equal(1);
    await clock.advance(1);
    expect(calls).to.equal(2);
    expect(outcomes).to.deep.equal(['again', 'done']);
  });

  it('retries a failure after a growing wait, and forgets the failures with the first success', async () => {
    const { reconcile, times } = failing(() => run.clock, [new Error('a'), new Error('b'), undefined, new Error('c')]);
    const run = start(reconcile);
    run.controller.enqueue('key');
    await run.clock.advance(1000);
    expect(times).to.deep.equal([0, 100, 300]);
    run.controller.enqueue('key');
    await run.clock.advance(1000);
    expect(times).to.deep.equal([0, 100, 300, 1000, 1100]);
  });

  it('waits as long as an overloaded server asks for', async () => {
    const busy = new KubeError('TooManyRequests', 'slow down', { retryAfterSeconds: 7 });
    const { reconcile, times } = failing(() => run.clock, [busy]);
    const run = start(reconcile);
    run.controller.enqueue('key');
    await run.clock.advance(10_000);
    expect(times).to.deep.equal([0, 7000]);
  });

  it('retries a conflict at once, again after a moment, and logs neither', async () => {
    const { reconcile, times } = failing(() => run.clock, [conflict(), conflict(), conflict()]);
    const run = start(reconcile);
    run.controller.enqueue('key');
    await run.clock.advance(1000);
    expect(times).to.deep.equal([0, 0, 20, 60]);
    expect(run.outcomes).to.deep.equal(['conflict', 'conflict', 'conflict', 'done']);
    expect(run.lines.filter(({ level }) => level !== 'debug')).to.deep.equal([]);
  });

  it('takes endless conflicts for the fault that they are', async () => {
    const { reconcile } = failing(() => run.clock, Array.from({ length: 6 }, conflict));
    const run = start(reconcile);
    run.controller.enqueue('key');
    await run.clock.advance(5000);
    expect(run.outcomes).to.deep.equal([...Array.from({ length: 5 }, () => 'conflict'), 'error', 'done']);
    expect(run.lines.filter(({ level }) => level === 'error')).to.have.length(1);
  });

  it('logs a failure with its reason once, however often it is retried, and says when it is over', async () => {
    const down = () => new KubeError('Unreachable', 'connection refused');
    const { reconcile } = failing(() => run.clock, [down(), down(), down(), new Error('other')]);
    const run = start(reconcile);
    run.controller.enqueue('default/one');
    await run.clock.advance(10_000);
    const told = run.lines.filter(({ level }) => level !== 'debug');
    expect(told.map(({ level, error }) => [level, String(error)])).to.deep.equal([
      ['error', 'KubeError: connection refused'],
      ['error', 'Error: other'],
      ['info', 'undefined'],
    ]);
    expect(told[0]).to.include({ controller: 'gadget', key: 'default/one' });
    expect(told[2]).to.include({ failures: 4 });
  });

  it('works on no more keys at a time than it has workers', async () => {
    let current = 0;
    let most = 0;
    const run = start(
      async () => {
        current += 1;
        most = Math.max(most, current);
        await run.clock.sleep(10);
        current -= 1;
        return {};
      },
      { workers: 2 },
    );
    for (const key of ['a', 'b', 'c', 'd', 'e']) {
      run.controller.enqueue(key);
    }
    await run.clock.advance(30);
    expect(most).to.equal(2);
    expect(run.outcomes).to.have.length(5);
  });
});

describe('a controller that is stopped', () => {
  /** Takes as long as it is told to, and says how it ended. */
  function slow(milliseconds: number) {
    const ends: string[] = [];
    const reconcile: Reconcile = async (key, signal) => {
      await run.clock.sleep(milliseconds, signal).then(
        () => ends.push(`${key} finished`),
        () => ends.push(`${key} cut`),
      );
      signal.throwIfAborted();
      return {};
    };
    const run = start(reconcile, { workers: 1, drainMs: 1000 });
    return { ...run, ends };
  }

  it('lets what is in flight finish and begins nothing new', async () => {
    const { controller, clock, stop, stopped, ends } = slow(500);
    controller.enqueue('a');
    controller.enqueue('b');
    await settle();
    stop.abort();
    await clock.advance(500);
    await stopped;
    expect(ends).to.deep.equal(['a finished']);
    expect(clock.sleeping).to.equal(0);
  });

  it('cuts off what takes longer than the drain, without calling it an error', async () => {
    const { controller, clock, stop, stopped, ends, lines } = slow(5000);
    controller.enqueue('a');
    await settle();
    stop.abort();
    await clock.advance(999);
    expect(ends).to.deep.equal([]);
    await clock.advance(1);
    await stopped;
    expect(ends).to.deep.equal(['a cut']);
    expect(lines).to.deep.equal([]);
  });

  it('cuts off everything at once when it is abandoned, also in the middle of a drain', async () => {
    const { controller, clock, stop, abandon, stopped, ends } = slow(5000);
    controller.enqueue('a');
    await settle();
    stop.abort();
    await clock.advance(100);
    abandon.abort();
    await stopped;
    expect(ends).to.deep.equal(['a cut']);
    expect(clock.monotonic()).to.equal(100);
  });

  it('stops even when a reconcile ignores its signal', async () => {
    const run = start(async () => new Promise(() => undefined), { drainMs: 1000 });
    run.controller.enqueue('a');
    await settle();
    run.stop.abort();
    await run.clock.advance(2000);
    await run.stopped;
  });
});
