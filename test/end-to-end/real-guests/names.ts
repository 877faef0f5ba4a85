/** Runs on hv2 from the first test to the last: nothing that is done to others may touch it. */
export const STEADY = 'steady';
/** On hv1; its QEMU is killed now and then. */
export const CRASHING = 'crashing';
/** On hv1, made with virsh: nobody declared it. */
export const FOREIGN = 'made-by-hand';
