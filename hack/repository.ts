import { dirname } from 'node:path';

/** The root of this checkout. */
export const REPOSITORY = dirname(import.meta.dirname);
