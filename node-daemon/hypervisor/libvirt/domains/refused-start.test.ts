import { expect } from 'chai';
import { type Ask } from '../rpc/domain-calls.ts';
import { FAULT, LibvirtFault } from '../rpc/faults.ts';
import { PROCEDURE } from '../rpc/procedures.ts';
import { XdrDecoder } from '../rpc/xdr-decoder.ts';
import { XdrEncoder } from '../rpc/xdr-encoder.ts';
import { explained, plainWords } from './refused-start.ts';

const UUID = '123e4567-e89b-42d3-a456-426614174000';
const DISKS = ['one', 'two'].map(
  (name) => `<disk type='volume'><driver type='qcow2'/><source pool='disks' volume='${name}'/></disk>`,
);
const XML = `<domain><devices>${DISKS.join('')}</devices></domain>`;

const describing: Ask = async (procedure) => {
  if (procedure !== PROCEDURE.domainGetXmlDesc) throw new Error('nothing else is answered here');
  return new XdrDecoder(new XdrEncoder().string(XML).finish());
};
const dumb: Ask = async () => {
  throw new Error('nothing is answered here');
};

describe('the words of a refused start', () => {
  const table: [string, string, string][] = [
    [
      'leave out what QEMU was told, and when',
      'internal error: process exited while connecting to monitor: 2026-11-21T07:23:30.503502Z qemu-system-x86_64: ' +
        '-blockdev {"node-name":"libvirt-1-format","read-only":false}: Could not open image',
      'qemu-system-x86_64: Could not open image',
    ],
    [
      'keep all that QEMU said',
      'internal error: qemu unexpectedly closed the monitor: 2026-11-21T07:23:30.5Z qemu-system-aarch64: one\n' +
        '2026-11-21T07:23:30.6Z qemu-system-aarch64: two\n',
      'qemu-system-aarch64: one\nqemu-system-aarch64: two',
    ],
    ['are libvirt’s own where it speaks for itself', 'cannot set up guest memory', 'cannot set up guest memory'],
  ];
  for (const [title, message, words] of table) {
    it(title, () => expect(plainWords(message)).to.equal(words));
  }

  it('name every volume that may be meant', async () => {
    const refusal = new LibvirtFault(FAULT.internalError, 'qemu-system-x86_64: Image is not in qcow2 format');
    const { message, reason } = await explained(describing, UUID, refusal);
    expect(message).to.include("the volume 'one' in pool 'disks' or 'two' in pool 'disks' is not in qcow2 format");
    expect(reason).to.equal('Failed');
  });

  it('are libvirt’s own where nothing more is to be found out', async () => {
    const refusal = new LibvirtFault(FAULT.noStoragePool, "no storage pool with matching name 'nowhere'");
    for (const ask of [describing, dumb])
      expect((await explained(ask, UUID, refusal)).message).to.equal(refusal.message);
  });

  it('keep what may pass by itself apart from what must be mended', async () => {
    const reasons = [FAULT.configUnsupported, FAULT.resourceBusy, FAULT.noMemory, FAULT.operationTimeout].map(
      async (code) => (await explained(dumb, UUID, new LibvirtFault(code, 'no'))).reason,
    );
    expect(await Promise.all(reasons)).to.deep.equal(['Failed', 'Busy', 'NoRoom', 'Timeout']);
  });
});
