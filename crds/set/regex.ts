// Regular expressions as RE2 has them: matched in time that grows with the length of the name alone, whoever wrote them.
import { RE2JS } from 're2js';

/** Whether the whole of a name matches. Throws where it is no expression of the RE2 syntax, or too large a one. */
export function compiled(source: string): (name: string) => boolean {
  const regex = RE2JS.compile(source);
  return (name) => regex.matches(name);
}

/** An expression that matches just this text. */
export function quoted(text: string): string {
  return RE2JS.quote(text);
}
