import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where what was built or fetched once is kept, for all checkouts: `~/.cache/usher/<part>`. */
export function cacheDirectory(part: 'control-plane' | 'guest' | 'kernel'): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'usher', part);
}
