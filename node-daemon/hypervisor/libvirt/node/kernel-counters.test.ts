import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { DriverError } from '#node-daemon/hypervisor/errors.ts';
import { readKernelCounters } from './kernel-counters.ts';

const DEVICES = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 999 9 0 0 0 0 0 0 999 9 0 0 0 0 0 0
  eth0:1000 10 0 0 0 0 0 0     2000 20 0 0 0 0 0 0
 vnet0: 555 5 0 0 0 0 0 0 666 6 0 0 0 0 0 0
`;
const ROUTES = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	0100000A	0003	0	0	0	00000000	0	0	0
vnet0	004D0A0A	00000000	0001	0	0	0	00FFFFFF	0	0	0
`;
const DISKS = `   7       0 loop0 9 0 9 0 9 0 9 0 0 0 0
 254       0 vda 100 0 8 5 200 0 16 5 0 0 0
 254       1 vda1 90 0 7 5 190 0 15 5 0 0 0
 259       0 nvme0n1 1 0 2 5 1 0 4 5 0 0 0
 259       1 nvme0n1p1 1 0 2 5 1 0 4 5 0 0 0
 253       0 dm-0 9 0 9 0 9 0 9 0 0 0 0
`;

describe('the counters of the machine', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'usher-counters-'));
    await writeFile(join(directory, 'dev'), DEVICES);
    await writeFile(join(directory, 'route'), ROUTES);
    await writeFile(join(directory, 'diskstats'), DISKS);
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('count each byte once: over interfaces with a default route, and over whole disks', async () => {
    const files = { networkDirectory: directory, diskStatistics: join(directory, 'diskstats') };
    expect(await readKernelCounters(files)).to.deep.equal({
      networkReceiveBytes: 1000n,
      networkTransmitBytes: 2000n,
      diskReadBytes: 10n * 512n,
      diskWriteBytes: 20n * 512n,
    });
  });

  it('are 0 where no files are given', async () => {
    expect(Object.values(await readKernelCounters(undefined))).to.deep.equal([0n, 0n, 0n, 0n]);
  });

  it('are Failed where a file cannot be read', async () => {
    const error = await readKernelCounters({ networkDirectory: directory, diskStatistics: '/nowhere' }).catch(
      (reason: unknown) => reason,
    );
    expect(error).to.be.instanceOf(DriverError).and.to.have.property('reason', 'Failed');
  });
});
