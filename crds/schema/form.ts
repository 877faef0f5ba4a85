// What a string that people write must look like. OpenAPI's `pattern` could say it to the API server, but then all that
// people read is a regular expression: as a CEL rule it comes with words and an example.
import type { CelRule } from './cel-rule.ts';

export interface Form {
  /** A regular expression for RE2 and JavaScript alike, from `^` to `$`. */
  readonly pattern: string;
  /** What to write, with an example. */
  readonly message: string;
}

const RULE = /^(?:self|string\(self\))[.]matches\('(.*)'\)$/;

/**
 * `value` is how CEL comes to the string: of `self` it knows the length, and with it the cost of the rule. Throws a
 * TypeError where CEL would read the pattern differently.
 */
export function formRule({ pattern, message }: Form, value: 'self' | 'string(self)'): CelRule {
  if (/['\\]/.test(pattern)) throw new TypeError(`pattern ${pattern}: write it without quotes and backslashes`);
  return { rule: `${value}.matches('${pattern}')`, message };
}

/** The form that a rule asks for; undefined where the rule is about something else. */
export function formOf({ rule, message }: CelRule): Form | undefined {
  const [, pattern] = RULE.exec(rule) ?? [];
  return pattern === undefined ? undefined : { pattern, message };
}
