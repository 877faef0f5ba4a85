/** A CEL rule as the API server evaluates it; `message` is what the user reads. */
export interface CelRule {
  rule: string;
  message: string;
  /** The field to name, below the one that the rule stands at: ".memory". */
  fieldPath?: string;
}
