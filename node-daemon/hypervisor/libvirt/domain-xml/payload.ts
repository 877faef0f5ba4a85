// Text that must come back byte for byte, though XML cannot say every character and treats white space as it likes.
import { type Element, element } from './element.ts';

/** Control characters, white space but for blanks, and what XML 1.0 forbids. */
const NOT_PLAIN = /[^ -~\u{A1}-\u{2027}\u{202A}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;
const BLANKS_THAT_COUNT = /^ | $| {2}/;
const BASE64 = 'base64';

/** Readable where XML can carry it as it is, else Base64 of its UTF-8. `text` holds no lone surrogates. */
export function payloadElement(name: string, text: string): Element {
  if (NOT_PLAIN.test(text) || BLANKS_THAT_COUNT.test(text)) {
    return element(name, { encoding: BASE64 }, toBase64(text));
  }
  return element(name, {}, text);
}

/** What `payloadElement` was given; undefined where the content was tampered with. */
export function payloadText(content: string, encoding: string): string | undefined {
  if (encoding === '') {
    return content;
  }
  return encoding === BASE64 ? fromBase64(content) : undefined;
}

function toBase64(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}

function fromBase64(content: string): string | undefined {
  try {
    const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
