/** A CEL rule as the API server evaluates it; `message` is what the user reads. */
export interface CelRule {
  rule: string;
  message: string;
}
