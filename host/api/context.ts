// What an operation's handler is given beside its input.

/** Who asks, and where: the scope that every record and ARN of a request belongs to. */
export interface OperationContext {
  readonly requestId: string;
  readonly account: string;
  readonly region: string;
  readonly partition: string;
}
