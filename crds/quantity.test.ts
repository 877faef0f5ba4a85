import { expect } from 'chai';
import fc from 'fast-check';
import { formatQuantity, gibibytes, parseQuantity, QUANTITY_PATTERN, readableQuantity } from './quantity.ts';

const bytes = fc.oneof(
  fc.maxSafeNat(),
  fc
    .record({ digits: fc.nat({ max: 8191 }), power: fc.nat({ max: 4 }) })
    .map(({ digits, power }) => digits * 1024 ** power),
);
const suffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'];

describe('a quantity', () => {
  it('is read as Kubernetes reads it', () => {
    const table: [string | number, number][] = [
      [0, 0],
      [4096, 4096],
      ['0', 0],
      ['123', 123],
      ['1Ki', 1024],
      ['512Mi', 536_870_912],
      ['4Gi', 4_294_967_296],
      ['2Ti', 2_199_023_255_552],
      ['7Pi', 7_881_299_347_898_368],
      ['1k', 1000],
      ['2M', 2_000_000],
      ['1.5G', 1_500_000_000],
      ['3T', 3_000_000_000_000],
      ['1P', 1_000_000_000_000_000],
      ['0.5Gi', 536_870_912],
      ['1.125Ki', 1152],
      ['007Mi', 7_340_032],
    ];
    for (const [text, expected] of table) expect(parseQuantity(text), String(text)).to.equal(expected);
  });

  it('is rounded up to whole bytes', () => {
    expect(parseQuantity('0.1Ki')).to.equal(103);
    expect(parseQuantity('0.001')).to.equal(1);
    expect(parseQuantity('1.001')).to.equal(2);
  });

  it('is refused with a hint where it is not one', () => {
    for (const text of [
      '',
      'Mi',
      '-1',
      '+1',
      '1e3',
      '100m',
      '1 Gi',
      '1KiB',
      '1.',
      '.5',
      '1.2345',
      '0x10',
      '1\n',
      '1Ei',
    ]) {
      expect(() => parseQuantity(text), JSON.stringify(text)).to.throw(RangeError, 'such as 512Mi or 2G');
    }
  });

  it('is refused where its bytes do not fit into a JavaScript number', () => {
    for (const value of ['8Pi', '999999999999999P', -1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => parseQuantity(value), String(value)).to.throw(RangeError, 'from 0 to 2^53 - 1');
    }
    expect(() => formatQuantity(-1)).to.throw(RangeError);
    expect(() => formatQuantity(1.5)).to.throw(RangeError);
  });

  it('is written with the binary suffix that leaves the fewest digits', () => {
    expect(
      [0, 1000, 1024, 1536, 536_870_912, 1.5 * 1024 ** 3, 4 * 1024 ** 4, 7 * 1024 ** 5].map(formatQuantity),
    ).to.deep.equal(['0', '1000', '1Ki', '1536', '512Mi', '1536Mi', '4Ti', '7Pi']);
  });

  it('is the same after writing and reading', () => {
    fc.assert(fc.property(bytes, (count) => parseQuantity(formatQuantity(count)) === count));
  });

  it('is written in the grammar of the schema, and never longer than with another binary suffix', () => {
    fc.assert(
      fc.property(bytes, (count) => {
        const text = formatQuantity(count);
        const spellings = suffixes
          .map((suffix, power) => ({ suffix, digits: count / 1024 ** power }))
          .filter(({ digits }) => Number.isInteger(digits))
          .map(({ suffix, digits }) => `${digits}${suffix}`);
        expect(text).to.match(new RegExp(QUANTITY_PATTERN));
        expect(text.length).to.equal(Math.min(...spellings.map((spelling) => spelling.length)));
      }),
    );
  });

  it('is never read as fewer bytes than it says, nor as a whole byte more', () => {
    const digits = fc.record({
      whole: fc.nat({ max: 999_999 }),
      thousandths: fc.nat({ max: 999 }),
      suffix: fc.constantFrom('', 'Ki', 'Mi', 'k', 'M'),
    });
    const factor: Record<string, number> = { '': 1, Ki: 1024, Mi: 1024 ** 2, k: 1000, M: 1_000_000 };
    fc.assert(
      fc.property(digits, ({ whole, thousandths, suffix }) => {
        const read = parseQuantity(`${whole}.${String(thousandths).padStart(3, '0')}${suffix}`);
        const thousandfold = (whole * 1000 + thousandths) * (factor[suffix] ?? 0);
        return read * 1000 >= thousandfold && read * 1000 < thousandfold + 1000;
      }),
    );
  });
});

describe('a quantity in Gi', () => {
  it('is never more than what there is, nor less by a thousandth of a Gi', () => {
    fc.assert(
      fc.property(bytes, (size) => {
        const shown = parseQuantity(gibibytes(size));
        expect(shown).to.be.at.most(size);
        expect(shown).to.be.above(size - 2 ** 30 / 1000 - 1);
        expect(gibibytes(shown)).to.equal(gibibytes(size));
      }),
    );
  });
});

describe('a quantity for people', () => {
  it('has one decimal at most, in the largest unit that fits', () => {
    const sizes = [0, 2 ** 20 - 1, 2 ** 20, 1.55 * 2 ** 30, 2 ** 31, 1023.99 * 2 ** 30, 2 ** 52];
    const shown = (rounded: 'up' | 'down') => sizes.map((size) => readableQuantity(size, rounded)).join(' ');
    expect(shown('down')).to.equal('0Mi 0.9Mi 1Mi 1.5Gi 2Gi 1023.9Gi 4Pi');
    expect(shown('up')).to.equal('0Mi 1Mi 1Mi 1.6Gi 2Gi 1024Gi 4Pi');
  });

  it('is a quantity, never more than what there is and never less than what is needed', () => {
    fc.assert(
      fc.property(bytes, (size) => {
        expect(parseQuantity(readableQuantity(size, 'down'))).to.be.at.most(size);
        fc.pre(size < 2 ** 52);
        expect(parseQuantity(readableQuantity(size, 'up'))).to.be.at.least(size);
      }),
    );
  });
});
