import { expect } from 'chai';
import fc from 'fast-check';
import { canonicalJson } from './canonical-json.ts';

describe('canonical JSON', () => {
  it('has its keys in order, however deep, and leaves lists as they are', () => {
    expect(canonicalJson({ b: [{ d: 1, c: 2 }, 'x'], a: null })).to.equal('{"a":null,"b":[{"c":2,"d":1},"x"]}');
  });

  it('is the same for the same fields in any order, and reads as the same value', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })), (fields) => {
        const turned = Object.fromEntries(Object.entries(fields).toReversed());
        expect(canonicalJson(turned)).to.equal(canonicalJson(fields));
        expect(JSON.parse(canonicalJson(fields))).to.deep.equal(JSON.parse(JSON.stringify(fields)));
      }),
    );
  });
});
