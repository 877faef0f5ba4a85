// The one suite that every driver passes. A driver's own test file calls `describeDriver` and adds its peculiarities.
import { describeCommands } from './commands.ts';
import { describeDefinition } from './definition.ts';
import { describeErrors } from './errors.ts';
import { describeEvents } from './events.ts';
import { describeFeatures } from './features.ts';
import { describeImages } from './images.ts';
import { describeInspection } from './inspection.ts';
import { describeInventory } from './inventory.ts';
import { describeLifecycle } from './lifecycle.ts';
import { describeLimits } from './limits.ts';
import { describeMetadata } from './metadata.ts';
import { describeMigration } from './migration.ts';
import { describeRaces } from './races.ts';
import { describeReboot } from './reboot.ts';
import { describeStandstill } from './standstill.ts';
import type { DriverUnderTest } from './subject.ts';
import { describeUsage } from './usage.ts';
import { Workbench } from './workbench.ts';

/**
 * Declares the mocha suite that holds a driver to the promises of the port. To be called at the top level or inside a
 * `describe` whose hooks prepare the hypervisor. It leaves nothing behind but what was there before.
 */
export function describeDriver(subject: DriverUnderTest): void {
  describe(`driver ${subject.name} keeps the promises of the port`, function () {
    this.timeout(4 * (subject.timeouts.verbMilliseconds + subject.timeouts.settleMilliseconds));
    const bench = new Workbench(subject);
    before(() => bench.open());
    afterEach(() => bench.clear());
    after(() => bench.close());

    describeFeatures(bench);
    describeDefinition(bench);
    describeLifecycle(bench);
    describeReboot(bench);
    describeStandstill(bench);
    describeImages(bench);
    describeLimits(bench);
    describeMetadata(bench);
    describeInventory(bench);
    describeInspection(bench);
    describeRaces(bench);
    describeEvents(bench);
    describeUsage(bench);
    describeMigration(bench);
    describeErrors(bench);
    describeCommands(bench);
  });
}
