// What is known of the running invocation outside the loop: logs, the invoke store and the fault handlers read it.

/** One per process, changed in place by the loop so that a warm invocation allocates nothing for it. */
export interface CurrentInvocation {
  /** Counts from 1; 0 during init. Tells two deliveries of one request id apart. */
  sequence: number;
  /** `undefined` during init; keeps its value until the next invocation begins. */
  requestId: string | undefined;
  tenantId: string | undefined;
  traceId: string | undefined;
}
