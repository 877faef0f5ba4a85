// Who may write what: rights/admission and rights/rbac on a real API server, with real tokens.

import { describeApiDeletion } from './admission/api-deletion.ts';
import { describeDeletions } from './admission/deletions.ts';
import { describeDomainReports } from './admission/domain-reports.ts';
import { describeHeartbeats } from './admission/heartbeats.ts';
import { describeHypervisors } from './admission/hypervisors.ts';
import { describeOperations } from './admission/operations.ts';
import { describeRoles } from './admission/roles.ts';
import { openSite, type Site } from './admission/site.ts';
import { describeStamps } from './admission/stamps.ts';
import { describeStatusOwners } from './admission/status-owners.ts';
import { describeTokens } from './admission/tokens.ts';
import { describeOwnControlPlane } from './harness.ts';

// The controllers: Kubernetes' roles for people take up ours through one of them.
describeOwnControlPlane('admission policies and roles', { controllerManager: true }, (cluster) => {
  let opened: Site | undefined;

  before(async function () {
    this.timeout(120_000);
    opened = await openSite(cluster);
  });

  const site = (): Site => {
    if (opened === undefined) throw new Error('the site is there only in tests and in their hooks');
    return opened;
  };

  describeStamps(cluster, site);
  describeDeletions(cluster, site);
  describeStatusOwners(cluster, site);
  describeOperations(cluster, site);
  describeHypervisors(site);
  describeDomainReports(site);
  describeHeartbeats(cluster, site);
  describeTokens(cluster, site);
  describeRoles(site);
  describeApiDeletion(site);
});
