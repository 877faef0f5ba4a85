// What was known of a guest's addresses when it was started. DHCP servers and the machine's ARP table outlive the guests:
// what they knew then is of an earlier run, and says nothing of this one.
import type { ObservedAddress } from '#node-daemon/hypervisor/driver.ts';
import type { Clock } from '#runtime/clock/clock.ts';

/** An address as it was found in one place. */
export interface Sighting {
  readonly address: ObservedAddress;
  /** Of a lease that ends: each renewal puts its end off, so that it can be told from what it was before. */
  readonly expiresAt?: bigint;
}

interface Note {
  readonly since: number;
  readonly hadLeases: boolean;
  readonly marks: Set<string>;
}

/** What does not tell its age, as a lease for ever, is believed to be of this run by then. */
const MAY_BE_OLD_MS = 120_000;

export class EarlierAddresses {
  readonly #clock: Clock;
  /** None of a guest whose start was not seen: all that is found of it is believed. */
  readonly #notes = new Map<string, Note>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Of a guest that is about to be started. */
  note(uuid: string, sightings: readonly Sighting[]): void {
    const hadLeases = sightings.some(({ address }) => address.source === 'Lease');
    this.#notes.set(uuid, { since: this.#clock.monotonic(), hadLeases, marks: new Set(sightings.map(markOf)) });
  }

  /** What came to light only after its start, and yet must be older. */
  noteMore(uuid: string, sightings: readonly Sighting[]): void {
    sightings.forEach((sighting) => this.#notes.get(uuid)?.marks.add(markOf(sighting)));
  }

  forget(uuid: string): void {
    this.#notes.delete(uuid);
  }

  /** Whether it had leases before its start: only then it matters when those end that it has now. */
  hadLeases(uuid: string): boolean {
    return this.#notes.get(uuid)?.hadLeases ?? false;
  }

  /** Those that have come, or were renewed, since the start. */
  withoutOld(uuid: string, sightings: readonly Sighting[]): ObservedAddress[] {
    return sightings.filter((sighting) => !this.#isOld(uuid, sighting)).map(({ address }) => address);
  }

  #isOld(uuid: string, sighting: Sighting): boolean {
    const note = this.#notes.get(uuid);
    if (note === undefined || !note.marks.has(markOf(sighting))) {
      return false;
    }
    return sighting.expiresAt !== undefined || this.#clock.monotonic() - note.since < MAY_BE_OLD_MS;
  }
}

function markOf({ address: { ip, macAddress, source }, expiresAt }: Sighting): string {
  return `${source} ${macAddress} ${ip} ${expiresAt ?? ''}`;
}
