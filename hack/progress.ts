// What a person sees while something takes longer than a few seconds. Everything goes to stderr: stdout is for results.

const REPORT_EVERY_MS = 10_000;

export function announce(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** "8 s", "3 min 20 s". */
export function elapsedText(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/**
 * Runs `work`, saying so before, every ten seconds while it lasts (with what `detail` returns at that moment) and after,
 * with the time it took. An error passes through after its own line.
 */
export async function withProgress<T>(title: string, work: () => Promise<T>, detail = (): string => ''): Promise<T> {
  const started = performance.now();
  const passed = (): string => elapsedText(performance.now() - started);
  announce(`${title} …`);
  const timer = setInterval(() => announce(`  ${title}: ${passed()}${suffix(detail())}`), REPORT_EVERY_MS);
  try {
    const result = await work();
    announce(`  ${title}: done in ${passed()}`);
    return result;
  } catch (error) {
    announce(`  ${title}: failed after ${passed()}`);
    throw error;
  } finally {
    clearInterval(timer);
  }
}

function suffix(detail: string): string {
  return detail === '' ? '' : `, ${detail}`;
}
