/**
 * What programs reckon with, such as an API server that does not answer: its message says what happened, and the log
 * shows no stack.
 */
export class ExpectedError extends Error {}
