// The options of a program, from flags and from environment variables, read once into a typed record.
import { parseArgs } from 'node:util';
import { nearestName } from './nearest-name.ts';
import {
  flagOf,
  helpText,
  type OptionDefinition,
  type OptionTable,
  type OptionValues,
  variableOf,
} from './option-table.ts';

export interface ProgramOptions<T extends OptionTable> {
  /** The first lines of --help: how the program is called and what it does. */
  usage: string;
  table: T;
  /** Without the program; process.argv's by default. */
  args?: readonly string[];
  /** process.env by default. */
  environment?: Readonly<Record<string, string | undefined>>;
}

export type ParsedOptions<T extends OptionTable> =
  | { readonly help: string; readonly values?: undefined }
  | { readonly help?: undefined; readonly values: OptionValues<T> };

/** Everything that is wrong with the options, a line each, naming the flag and what to do. */
export class OptionsError extends Error {
  override readonly name = 'OptionsError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super([...faults, 'Try --help.'].join('\n'));
    this.faults = faults;
  }
}

/** What was written for an option, and where. */
interface Given {
  readonly text: string;
  readonly source: string;
}

/** A flag counts before its environment variable (empty is unset), that before the default. Throws OptionsError. */
export function parseOptions<T extends OptionTable>(program: ProgramOptions<T>): ParsedOptions<T> {
  const { usage, table, args = process.argv.slice(2), environment = process.env } = program;
  const faults: string[] = [];
  const flags = readFlags(table, args, faults);
  if (flags.has('help')) {
    return { help: helpText(usage, table) };
  }
  const values = Object.entries(table).map(([name, option]) => {
    const given = flags.get(name) ?? readVariable(name, option, environment);
    return [name, given === undefined ? missing(name, option, faults) : valueOf(option, given, faults)] as const;
  });
  if (faults.length > 0) {
    throw new OptionsError(faults);
  }
  return { values: Object.fromEntries(values) as OptionValues<T> };
}

/** By name; what is not understood is added to `faults`. */
function readFlags(table: OptionTable, args: readonly string[], faults: string[]): Map<string, Given> {
  const names = new Map([...Object.keys(table).map((name) => [flagOf(name), name] as const), ['help', 'help']]);
  const given = new Map<string, Given>();
  for (const token of tokensOf(table, args)) {
    if (token.kind === 'positional') {
      faults.push(`unexpected argument "${token.value}": options begin with --`);
    } else if (token.kind === 'option') {
      const name = names.get(token.name);
      const text = token.value ?? (isBoolean(table, name) ? String(!token.rawName.startsWith('--no-')) : undefined);
      if (name === undefined) {
        faults.push(unknownFlag(token.rawName, [...names.keys()]));
      } else if (text === undefined) {
        faults.push(`--${token.name} needs a value: write --${token.name}=<${table[name]?.type}>`);
      } else {
        given.set(name, { text, source: `--${token.name}` });
      }
    }
  }
  return given;
}

function tokensOf(table: OptionTable, args: readonly string[]) {
  const names = [...Object.keys(table), 'help'];
  const options = names.map((name) => {
    const type: 'boolean' | 'string' = isBoolean(table, name) ? 'boolean' : 'string';
    return [flagOf(name), { type }] as const;
  });
  const parser = { options: Object.fromEntries(options), strict: false, allowNegative: true, tokens: true } as const;
  return parseArgs({ ...parser, args: [...args] }).tokens;
}

function isBoolean(table: OptionTable, name: string | undefined): boolean {
  return name === 'help' || (name !== undefined && table[name]?.type === 'boolean');
}

function unknownFlag(rawName: string, flags: readonly string[]): string {
  const nearest = nearestName(rawName.replace(/^-+/, ''), flags);
  return `unknown option ${rawName}${nearest === undefined ? '' : `: did you mean --${nearest}?`}`;
}

function readVariable(
  name: string,
  option: OptionDefinition,
  environment: Readonly<Record<string, string | undefined>>,
): Given | undefined {
  const source = variableOf(name, option);
  const text = environment[source];
  return text === undefined || text === '' ? undefined : { text, source };
}

function missing(name: string, option: OptionDefinition, faults: string[]): unknown {
  if (option.default === undefined && !option.optional) {
    faults.push(`--${flagOf(name)} is missing: give it, or set ${variableOf(name, option)} (${option.description})`);
  }
  return option.default;
}

function valueOf(option: OptionDefinition, { text, source }: Given, faults: string[]): unknown {
  const refuse = (rule: string | undefined): undefined => {
    if (rule !== undefined) {
      faults.push(`${source} ${rule}, not "${text}"`);
    }
  };
  switch (option.type) {
    case 'string':
      refuse(option.validate?.(text));
      return text;
    case 'integer': {
      const value = Number(text);
      const isInteger = /^-?[0-9]+$/.test(text) && Number.isSafeInteger(value);
      refuse(isInteger ? option.validate?.(value) : 'must be a whole number');
      return value;
    }
    case 'boolean':
      refuse(['true', 'false'].includes(text) ? option.validate?.(text === 'true') : 'must be true or false');
      return text === 'true';
    case 'choice':
      refuse(option.choices.includes(text) ? option.validate?.(text) : `must be one of ${option.choices.join(', ')}`);
      return text;
  }
}
