// The one part of undici that is used here. Its index also loads fetch, caches and mocks, which cost every process
// 13 MB for nothing.
import { createRequire } from 'node:module';
import type { Dispatcher, Pool as UndiciPool } from 'undici';

const require = createRequire(import.meta.url);

export type Pool = UndiciPool;
export type Answer = Dispatcher.ResponseData;

export const Pool: typeof UndiciPool = require('undici/lib/dispatcher/pool.js');

const api: {
  request: (this: Pool, options: Dispatcher.RequestOptions) => Promise<Answer>;
} = require('undici/lib/api/index.js');

/** `pool.request`, which the index would have put on every dispatcher. */
export function requestOn(pool: Pool, options: Dispatcher.RequestOptions): Promise<Answer> {
  return api.request.call(pool, options);
}
