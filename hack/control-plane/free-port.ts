import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

// Below the range from which Linux takes the ports of outgoing connections (32768 and up), so that a port which is free
// now is not taken by somebody's connection a moment later.
const FIRST = 20_000;
const LAST = 30_000;
const TRIES = 100;

/** A TCP port that was free on the loopback just now. Another server may still be faster: be ready to ask again. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const port = randomInt(FIRST, LAST);
    if (await canListen(port)) return port;
  }
  throw new Error(`found no free TCP port between ${FIRST} and ${LAST} in ${TRIES} tries`);
}

function canListen(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
