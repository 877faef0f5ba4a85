// How the options of a program are declared, and the type that they give.

interface OptionBase<V> {
  readonly description: string;
  /** Left out: the option must be given, unless it is `optional`. */
  readonly default?: V;
  /** May be missing; it is undefined then. */
  readonly optional?: true;
  /** Instead of USHER_ and the name. */
  readonly env?: string;
  /** What the value must be ("must be …") where it is not; undefined where all is right. */
  validate?(value: V): string | undefined;
}

export type OptionDefinition =
  | (OptionBase<string> & { readonly type: 'string' })
  | (OptionBase<number> & { readonly type: 'integer' })
  | (OptionBase<boolean> & { readonly type: 'boolean' })
  | (OptionBase<string> & { readonly type: 'choice'; readonly choices: readonly string[] });

/** By name in camelCase: `metricsPort` is `--metrics-port` and USHER_METRICS_PORT. */
export type OptionTable = Readonly<Record<string, OptionDefinition>>;

type Value<D extends OptionDefinition> = D extends { type: 'choice'; choices: readonly (infer C)[] }
  ? C
  : D extends { type: 'integer' }
    ? number
    : D extends { type: 'boolean' }
      ? boolean
      : string;

export type OptionValues<T extends OptionTable> = {
  readonly [N in keyof T]: T[N] extends { optional: true } ? Value<T[N]> | undefined : Value<T[N]>;
};

/** "metricsPort" → "metrics-port" */
export function flagOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** "metricsPort" → "USHER_METRICS_PORT", unless the option names another. */
export function variableOf(name: string, { env }: OptionDefinition): string {
  return env ?? `USHER_${flagOf(name).replaceAll('-', '_').toUpperCase()}`;
}

/** The text for --help. */
export function helpText(usage: string, table: OptionTable): string {
  const options = Object.entries(table).map(([name, option]) => optionHelp(name, option));
  return [usage, '', 'Options:', ...options, '  --help', '      Show this text.', ''].join('\n');
}

function optionHelp(name: string, option: OptionDefinition): string {
  const flag = option.type === 'boolean' ? `--[no-]${flagOf(name)}` : `--${flagOf(name)} <${valueHelp(option)}>`;
  return `  ${flag}\n      ${option.description}${fallbackHelp(option)} Environment: ${variableOf(name, option)}.`;
}

/** An empty default is as good as none. */
function fallbackHelp(option: OptionDefinition): string {
  if (option.default === undefined) return option.optional ? '' : ' Required.';
  return option.default === '' ? '' : ` Default: ${option.default}.`;
}

function valueHelp(option: OptionDefinition): string {
  return option.type === 'choice' ? option.choices.join('|') : option.type;
}
