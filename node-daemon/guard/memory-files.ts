// The orders and their acknowledgement in memory, for a machine that is simulated.
import type { Acknowledgement, GuardFiles, Orders } from './orders.ts';

export function memoryGuardFiles(): GuardFiles {
  let given: Orders | undefined;
  let heard: Acknowledgement | undefined;
  return {
    orders: async () => given,
    acknowledgement: async () => heard,
    give: async (orders) => {
      given = orders;
    },
    acknowledge: async (acknowledgement) => {
      heard = acknowledgement;
    },
  };
}
