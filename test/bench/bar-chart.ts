// Horizontal bars as SVG, legible on light and on dark.

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Written behind the bar. */
  readonly said: string;
  readonly bad?: boolean;
}

const WIDTH = 760;
const LABELS = 300;
const VALUES = 140;
const ROW = 26;
const TOP = 44;
const COLOURS = { good: '#2b7bba', bad: '#c0392b', line: '#888888', text: '#777777' };

/** A line at `limit` goes through all of them. Texts must hold no markup. */
export function barChart(title: string, bars: readonly Bar[], limit?: number): string {
  const height = TOP + bars.length * ROW + 12;
  const most = Math.max(limit ?? 0, ...bars.map(({ value }) => value));
  const scale = (value: number) => Math.round((value / most) * (WIDTH - LABELS - VALUES));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" font-family="sans-serif" font-size="13" fill="${COLOURS.text}">`,
    `  <title>${title}</title>`,
    `  <text x="8" y="22" font-size="15">${title}</text>`,
    ...bars.flatMap((bar, index) => row(bar, TOP + index * ROW, scale(bar.value))),
    ...(limit === undefined ? [] : [limitLine(LABELS + scale(limit), height)]),
    '</svg>',
    '',
  ].join('\n');
}

function row({ label, said, bad }: Bar, y: number, width: number): string[] {
  const colour = bad === true ? COLOURS.bad : COLOURS.good;
  return [
    `  <text x="${LABELS - 8}" y="${y + 15}" text-anchor="end">${label}</text>`,
    `  <rect x="${LABELS}" y="${y}" width="${Math.max(1, width)}" height="${ROW - 6}" fill="${colour}"/>`,
    `  <text x="${LABELS + width + 6}" y="${y + 15}">${said}</text>`,
  ];
}

function limitLine(x: number, height: number): string {
  return `  <line x1="${x}" y1="${TOP - 6}" x2="${x}" y2="${height - 8}" stroke="${COLOURS.line}" stroke-dasharray="4 3"/>`;
}
