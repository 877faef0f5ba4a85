// One JSON object a line on stderr. The rest of the code knows only the interface.
import { createLogger, format, transports } from 'winston';
import type { Clock } from '../clock/clock.ts';
import { ExpectedError } from './expected-error.ts';

/** Facts beside the message, by name: component, key, error… Errors are written with their causes, unexpected ones with their stack. */
export type LogFields = Record<string, unknown>;

/** Logging never throws and never waits. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds these fields to every line. */
  child(fields: LogFields): Logger;
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogOptions {
  level: LogLevel;
  clock: Pick<Clock, 'now'>;
  /** Where lines go; the process's stderr by default. */
  stream?: NodeJS.WritableStream;
  fields?: LogFields;
}

/** Lines below `level` are not written. Fields cannot replace level, time and msg. */
export function createLog({ level, clock, stream = process.stderr, fields = {} }: LogOptions): Logger {
  const winston = createLogger({
    level,
    levels: { error: 0, warn: 1, info: 2, debug: 3 },
    format: format.printf(({ line }) => String(line)),
    transports: [new transports.Stream({ stream, eol: '\n' })],
  });
  return loggerOf((lineLevel, message, lineFields) => {
    if (winston.isLevelEnabled(lineLevel)) {
      const line = lineOf({ level: lineLevel, time: new Date(clock.now()).toISOString(), msg: message }, lineFields);
      winston.log({ level: lineLevel, message, line });
    }
  }, fields);
}

/** Says nothing: for tests and as a default. */
export const silentLogger: Logger = loggerOf(() => undefined, {});

function loggerOf(write: (level: LogLevel, message: string, fields: LogFields) => void, bound: LogFields): Logger {
  const at = (level: LogLevel) => (message: string, fields?: LogFields) =>
    write(level, message, { ...bound, ...fields });
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => loggerOf(write, { ...bound, ...fields }),
  };
}

function lineOf(head: LogFields, fields: LogFields): string {
  try {
    return JSON.stringify({ ...head, ...fields, ...head }, plainValue);
  } catch (error) {
    return JSON.stringify({ ...head, unwritable: String(error) });
  }
}

function plainValue(_name: string, value: unknown): unknown {
  if (value instanceof Error) {
    return plainError(value);
  }
  return typeof value === 'bigint' ? String(value) : value;
}

const DEEPEST_CAUSE = 5;

/** An error as plain data: name, message, what else it carries (reason, code…), its causes, and a stack if it needs one. */
export function plainError(error: Error, depth = 0): LogFields {
  const { name, message, cause } = error;
  const plain: LogFields = { name, message, ...Object.fromEntries(ownFacts(error)) };
  if (!(error instanceof ExpectedError)) {
    plain['stack'] = error.stack;
  }
  if (cause === undefined || depth >= DEEPEST_CAUSE) {
    return plain;
  }
  return { ...plain, cause: cause instanceof Error ? plainCause(cause, error, depth + 1) : cause };
}

/** What the system reports with a code, of a socket for example, needs no stack where it was reckoned with. */
function plainCause(cause: Error, error: Error, depth: number): LogFields {
  const { stack, ...plain } = plainError(cause, depth);
  const isReckonedWith = error instanceof ExpectedError && 'code' in cause;
  return stack === undefined || isReckonedWith ? plain : { ...plain, stack };
}

function ownFacts(error: Error): [string, unknown][] {
  const scalar = ['string', 'number', 'boolean'];
  return Object.entries(error).filter(([name, value]) => name !== 'cause' && scalar.includes(typeof value));
}
