import { expect } from 'chai';
import fc from 'fast-check';
import { matcherOf, namesOf } from './names.ts';
import { parseSet } from './parse.ts';
import { printSet } from './print.ts';
import { byNumber, namesIn, rangesOf } from './ranges.ts';
import type { Choice, Item, NameSet, Naming, Part } from './syntax.ts';
import { SetFault, textsOf } from './syntax.ts';

const namesFor = (text: string, naming: Naming = 'VirtualMachine') => namesOf(parseSet(text, naming));
const matching = (text: string, names: readonly string[], naming: Naming = 'VirtualMachine') =>
  names.filter(matcherOf(parseSet(text, naming)));

describe('a set of names', () => {
  it('stands for the names that can be told from it alone', () => {
    const table: [string, string[]][] = [
      ['web', ['web']],
      ['web,db', ['web', 'db']],
      [' web , db ', ['web', 'db']],
      ['web,web', ['web']],
      ['web{1-3}', ['web1', 'web2', 'web3']],
      ['web-{1-2,15}', ['web-1', 'web-2', 'web-15']],
      ['{blue, green}-db', ['blue-db', 'green-db']],
      ['n{08-11}', ['n08', 'n09', 'n10', 'n11']],
      ['r{1-2}n{1-2}', ['r1n1', 'r1n2', 'r2n1', 'r2n2']],
      ['1-3.sneetch', ['sneetch-1', 'sneetch-2', 'sneetch-3']],
      ['redfish.sneetch', ['sneetch-redfish']],
      ['1.sneetch{a,b}', ['sneetcha-1', 'sneetchb-1']],
      ['1-3', ['1', '2', '3']],
      ['web1-10', ['web1-10']],
      ['{1}-10', ['1-10']],
    ];
    for (const [text, names] of table) expect(namesFor(text), text).to.deep.equal(names);
  });

  it('says that it depends on what there is, with a glob or a regular expression', () => {
    for (const text of ['*', 'web-?', '/web/', 'web,db-*', '*.sneetch'])
      expect(namesFor(text), text).to.equal(undefined);
  });

  it('matches globs and regular expressions with whole names', () => {
    const names = ['web', 'web-1', 'web-12', 'cobweb-1', 'sneetch-1', 'sneetch-red', '1-10'];
    expect(matching('*', names)).to.deep.equal(names);
    expect(matching('web-?', names)).to.deep.equal(['web-1']);
    expect(matching('web*', names)).to.deep.equal(['web', 'web-1', 'web-12']);
    expect(matching('/web/', names)).to.deep.equal(['web']);
    expect(matching('/web-[0-9]+|cob.*/', names)).to.deep.equal(['web-1', 'web-12', 'cobweb-1']);
    expect(matching('*.sneetch', names)).to.deep.equal(['sneetch-1', 'sneetch-red']);
    expect(matching('{web,cobweb}-*,web', names)).to.deep.equal(['web', 'web-1', 'web-12', 'cobweb-1']);
    expect(matching('/1-10/', names)).to.deep.equal(['1-10']);
    expect(matching('/[a-z,]+-[0-9]{1,1}/', names)).to.deep.equal(['web-1', 'cobweb-1', 'sneetch-1']);
  });

  it('takes dots for what they are in names of hypervisors', () => {
    expect(namesFor('kvm{1-2}.example.org', 'Hypervisor')).to.deep.equal(['kvm1.example.org', 'kvm2.example.org']);
    expect(namesFor('1-2.rack.example.org', 'Hypervisor')).to.deep.equal(['1.rack.example.org', '2.rack.example.org']);
    expect(matching('*.rack7', ['a.rack7', 'axrack7'], 'Hypervisor')).to.deep.equal(['a.rack7']);
  });

  it('says where it is written wrongly, why, and what to write', () => {
    const table: [string, number, RegExp][] = [
      ['', 1, /a name, a range, a glob or a regular expression is missing here: write for example web-1/],
      ['web,,db', 5, /is missing here/],
      ['web,', 5, /is missing here/],
      ['web{1-10', 4, /this \{ has no \} after it: close the braces, for example web\{1-10,15\}/],
      ['web{a{b}}', 4, /this \{ has no \}/],
      ['web}', 4, /"}" cannot be part of a name/],
      ['web{10-1}', 5, /the range 10-1 counts down: write 1-10/],
      ['web{1,,2}', 7, /nothing stands here between the braces/],
      ['web{}', 5, /nothing stands here/],
      ['Web', 1, /"W" cannot be part of a name: names are in lower case/],
      ['a b', 2, /" " cannot be part of a name/],
      ['web_1', 4, /"_" cannot be part of a name: names hold lower-case letters, digits and dashes/],
      ['a.b.c', 4, /a second dot/],
      ['.sneetch', 1, /nothing stands on this side of the dot/],
      ['1-10.', 6, /nothing stands on this side of the dot/],
      ['db,/web', 4, /this regular expression has no \/ at its end/],
      ['/web/x', 6, /only a comma may follow a regular expression/],
      ['//', 1, /the regular expression is empty/],
      ['/[0-9/', 1, /no regular expression of the RE2 syntax: missing closing \]/],
      ['/(a)\\1/', 1, /no regular expression of the RE2 syntax: invalid escape sequence/],
      ['/((a{100}){100}){100}/', 1, /no regular expression of the RE2 syntax: invalid repeat count/],
      ['web{1-1001}', 5, /more than 1000 choices/],
      ['a{1-100}b{1-100}', 1, /stands for 10000 names, and a set for at most 1000/],
      ['a'.repeat(1025), 1025, /at most 1024 characters, and this has 1025/],
    ];
    for (const [text, character, words] of table) {
      const fault = attempt(() => parseSet(text, 'VirtualMachine'));
      expect(fault, text).to.be.instanceOf(SetFault);
      expect((fault as SetFault).message, text)
        .to.match(words)
        .and.to.contain(`at character ${character}:`);
    }
  });

  it('is read from what it is printed as', () => {
    fc.assert(
      fc.property(set, (written) => {
        expect(parseSet(printSet(written), written.naming)).to.deep.equal(written);
      }),
    );
  });

  it('stands for just the names that belong to it', () => {
    fc.assert(
      fc.property(finite, fc.array(name), (written, others) => {
        const names = namesOf(written) ?? [];
        const belongs = matcherOf(written);
        for (const each of [...names, ...others]) expect(belongs(each), each).to.equal(names.includes(each));
        // The same by the other way, which globs take.
        const widened = { ...written, items: written.items.map(withNothing) };
        for (const each of [...names, ...others]) expect(matcherOf(widened)(each), each).to.equal(names.includes(each));
      }),
    );
  });

  it('is either read or faulted, within its bounds, whatever is written', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab19-,.{}*?/\\[(+ A'.split('')) }), (text) => {
        const result = attempt(() => parseSet(text, 'VirtualMachine'));
        if (result instanceof SetFault) expect(result.position).to.be.within(0, text.length);
        else expect(namesOf(result as NameSet)?.length ?? 0).to.be.at.most(1000);
      }),
    );
  });
});

describe('many names in few words', () => {
  it('are ranges of numbers', () => {
    const table: [string[], string[]][] = [
      [[], []],
      [
        ['web-2', 'web-1', 'db', 'web-3', 'web-10'],
        ['db', 'web-{1-3}', 'web-10'],
      ],
      [
        ['n09', 'n10', 'n08', 'n8'],
        ['n{08-09}', 'n8', 'n10'],
      ],
      [['1', '2', '3'], ['{1-3}']],
      [['1-10'], ['1-{10}']],
      [
        ['a1b', 'a2b'],
        ['a1b', 'a2b'],
      ],
    ];
    for (const [names, ranges] of table) expect(rangesOf(names)).to.deep.equal(ranges);
  });

  it('are the same names again, and a thousand of them are one text', () => {
    fc.assert(
      fc.property(fc.array(name), (names) => {
        expect(namesIn(rangesOf(names)).sort()).to.deep.equal([...new Set(names)].sort());
      }),
    );
    const thousand = Array.from({ length: 1000 }, (_, index) => `vm-${index + 1}`);
    expect(rangesOf(thousand.toReversed())).to.deep.equal(['vm-{1-1000}']);
    expect(namesIn(['vm-{1-1000}'])).to.deep.equal(thousand);
    expect(['web-10', 'web-2'].sort(byNumber)).to.deep.equal(['web-2', 'web-10']);
  });
});

function attempt(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

/** Matches what it matched, and can no longer be listed. */
function withNothing(item: Item): Item {
  if (item.kind === 'Regex') return item;
  const all = item.parts.map((part) =>
    part.kind === 'OneOf' ? `(${part.choices.flatMap(textsOf).join('|')})` : (part as { text: string }).text,
  );
  const cluster = item.cluster?.map((part) =>
    part.kind === 'OneOf' ? `(${part.choices.flatMap(textsOf).join('|')})` : (part as { text: string }).text,
  );
  return { kind: 'Regex', source: [...(cluster === undefined ? [] : [...cluster, '-']), ...all].join('') };
}

const name = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,4}[0-9]{1,3})?$/);
const word = fc.stringMatching(/^[a-z]([-a-z0-9]{0,4}[a-z0-9])?$/);
const range: fc.Arbitrary<Choice> = fc
  .record({ from: fc.nat({ max: 12 }), length: fc.nat({ max: 3 }), width: fc.constantFrom(0, 0, 2, 3) })
  .map(({ from, length, width }) => {
    const padded = String(from).length < width ? width : 0;
    return { kind: 'Range', from, to: from + length, width: padded };
  });
const choice: fc.Arbitrary<Choice> = fc.oneof(
  range,
  word.map((each) => ({ kind: 'Word', word: each }) as const),
);
const oneOf: fc.Arbitrary<Part> = fc
  .array(choice, { minLength: 1, maxLength: 2 })
  .map((choices) => ({ kind: 'OneOf', choices }));
const text: fc.Arbitrary<Part> = word.map((each) => ({ kind: 'Text', text: each }));
const glob: fc.Arbitrary<Part> = fc.constantFrom({ kind: 'AnyText' } as const, { kind: 'AnyLetter' } as const);

function parts(one: fc.Arbitrary<Part>): fc.Arbitrary<Part[]> {
  return fc
    .array(one, { minLength: 1, maxLength: 3 })
    .filter((all) =>
      all.every(({ kind }, index) => kind === 'OneOf' || kind === 'AnyLetter' || kind !== all[index - 1]?.kind),
    );
}

function pattern(one: fc.Arbitrary<Part>): fc.Arbitrary<Item> {
  return fc.record(
    { kind: fc.constant('Pattern' as const), parts: parts(one), cluster: parts(one) },
    { requiredKeys: ['kind', 'parts'] },
  );
}

const regex: fc.Arbitrary<Item> = fc
  .constantFrom('a', 'a/b', 'web-[0-9]+', 'a{1,3}|b', '(a|b)*')
  .map((source) => ({ kind: 'Regex', source }));
const machines = 'VirtualMachine' as const;
const finite: fc.Arbitrary<NameSet> = fc
  .array(pattern(fc.oneof(text, oneOf)), { minLength: 1, maxLength: 2 })
  .map((items) => ({ naming: machines, items }))
  .filter(isSmall);
const set: fc.Arbitrary<NameSet> = fc
  .array(fc.oneof(pattern(fc.oneof(text, oneOf, glob)), regex), { minLength: 1, maxLength: 3 })
  .map((items) => ({ naming: machines, items }))
  .filter(isSmall);

function isSmall({ items }: NameSet): boolean {
  return !(attempt(() => parseSet(printSet({ naming: machines, items }), machines)) instanceof SetFault);
}
