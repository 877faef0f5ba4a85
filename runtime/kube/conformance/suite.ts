// The one suite that every store passes: what it holds for the model in memory holds for the API server, too.
import { describeAbort } from './abort.ts';
import { describeApply } from './apply.ts';
import { describeCreate } from './create.ts';
import { describeDelete } from './delete.ts';
import { describeJsonPatch } from './json-patch.ts';
import { describeList } from './list.ts';
import { describeMergePatch } from './merge-patch.ts';
import { describeStatus } from './status.ts';
import type { StoreUnderTest } from './subject.ts';
import { describeWatch } from './watch.ts';
import { Workbench } from './workbench.ts';

/**
 * Declares the mocha suite that holds a store to the promises of the port. To be called at the top level or inside a
 * `describe` whose hooks prepare the server.
 */
export function describeStore(subject: StoreUnderTest): void {
  describe(`store ${subject.name} keeps the promises of the port`, () => {
    const bench = new Workbench(subject);
    beforeEach(() => bench.open());
    afterEach(() => bench.close());

    describeCreate(bench);
    describeMergePatch(bench);
    describeStatus(bench);
    describeJsonPatch(bench);
    describeDelete(bench);
    describeList(bench);
    describeWatch(bench);
    describeApply(bench);
    describeAbort(bench);
  });
}
