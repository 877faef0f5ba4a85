// The calls about a domain's share of CPU time.
import type { Ask } from './domain-calls.ts';
import { MAX_SCHEDULER_PARAMETERS } from './limits.ts';
import { PROCEDURE } from './procedures.ts';
import { type Parameters, readParameters, type WholeNumber, writeDomain, writeParameters } from './values.ts';
import { XdrEncoder } from './xdr-encoder.ts';

export async function getScheduler(ask: Ask, uuid: string, flags: number): Promise<Parameters> {
  const body = writeDomain(new XdrEncoder(), uuid).int(MAX_SCHEDULER_PARAMETERS).unsigned(flags).finish();
  return readParameters(await ask(PROCEDURE.domainGetSchedulerParametersFlags, body), MAX_SCHEDULER_PARAMETERS);
}

export async function setScheduler(
  ask: Ask,
  uuid: string,
  parameters: readonly WholeNumber[],
  flags: number,
): Promise<void> {
  const body = writeParameters(writeDomain(new XdrEncoder(), uuid), parameters).unsigned(flags).finish();
  await ask(PROCEDURE.domainSetSchedulerParametersFlags, body);
}
