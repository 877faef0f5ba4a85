// Texts that were read and found right once, kept in files beside the tests.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

/**
 * Fails unless the file holds exactly this text. With USHER_UPDATE_GOLDEN=1 in the environment the file is written
 * instead: read the difference before you commit it.
 */
export function expectGolden(file: URL, text: string): void {
  if (process.env.USHER_UPDATE_GOLDEN === '1') {
    mkdirSync(dirname(fileURLToPath(file)), { recursive: true });
    writeFileSync(file, text);
    return;
  }
  expect(text, `${fileURLToPath(file)} (USHER_UPDATE_GOLDEN=1 writes it anew)`).to.equal(readGolden(file));
}

function readGolden(file: URL): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`the golden file is missing; USHER_UPDATE_GOLDEN=1 writes it`, { cause: error });
  }
}
