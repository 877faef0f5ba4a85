import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { skip } from '../runner/skip.ts';

const run = promisify(execFile);
const GOLDENS = join(import.meta.dirname, '../../node-daemon/hypervisor/libvirt/domain-xml/testdata');

describe('the golden domains', () => {
  before(async function () {
    for (const [program, name] of [
      ['virt-xml-validate', 'libvirt-clients'],
      ['xmllint', 'libxml2-utils'],
    ] as const) {
      const found = await run('sh', ['-c', 'command -v "$1"', 'sh', program]).catch(() => undefined);
      if (found === undefined) {
        skip(this, `${program} is missing (Debian package ${name})`);
      }
    }
  });

  it('are valid by libvirt’s own schema, for QEMU, KVM, Xen, LXC and the test driver', async () => {
    const files = (await readdir(GOLDENS)).filter((file) => file.endsWith('.xml'));
    const kinds = new Set(files.map((file) => file.split('-')[0]));
    expect(kinds).to.deep.equal(new Set(['kvm', 'lxc', 'qemu', 'test', 'xen']));
    for (const file of files) {
      await run('virt-xml-validate', [join(GOLDENS, file), 'domain']); // rejects with what the schema complains of
    }
  });
});
