import { describe } from 'vitest';
import { describeApprovals } from '#test/adapters/store-contract/approvals.ts';
import { describeBudgetModel } from '#test/adapters/store-contract/budget-model.ts';
import { describeBudgets } from '#test/adapters/store-contract/budgets.ts';
import { describeEverApproved } from '#test/adapters/store-contract/ever-approved.ts';
import { describeSeenManifests } from '#test/adapters/store-contract/manifests.ts';
import { describePins } from '#test/adapters/store-contract/pins.ts';
import { describeQuarantines } from '#test/adapters/store-contract/quarantines.ts';
import { describeRuns } from '#test/adapters/store-contract/runs.ts';
import { describeTaints } from '#test/adapters/store-contract/taints.ts';
import { makeSqliteStore } from './store-under-test.ts';

describe('the SQLite store', () => {
  describeApprovals(makeSqliteStore);
  describeBudgets(makeSqliteStore);
  describeBudgetModel(makeSqliteStore);
  describePins(makeSqliteStore);
  describeSeenManifests(makeSqliteStore);
  describeQuarantines(makeSqliteStore);
  describeEverApproved(makeSqliteStore);
  describeRuns(makeSqliteStore);
  describeTaints(makeSqliteStore);
});
