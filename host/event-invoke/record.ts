// What is stored of a function's event invoke config, one for each qualifier that has one, and the values in force with it.

/** Members that were not given are undefined. */
export interface EventInvokeRecord {
  readonly lastModifiedMs: number;
  /** 0 to 2. */
  readonly maximumRetryAttempts?: number | undefined;
  /** 60 to 21600. */
  readonly maximumEventAgeSeconds?: number | undefined;
  /** ARN of where the result of an asynchronous invocation goes. */
  readonly onSuccess?: string | undefined;
  /** ARN of where an event goes that was given up. */
  readonly onFailure?: string | undefined;
}

/** What holds for asynchronous invocations by one qualifier. */
export interface EventInvokeInForce {
  readonly maximumRetryAttempts: number;
  readonly maximumEventAgeSeconds: number;
  readonly onSuccess: string | undefined;
  readonly onFailure: string | undefined;
}

/** The service's values where a config says nothing. */
const DEFAULT_RETRY_ATTEMPTS = 2;
const DEFAULT_EVENT_AGE_SECONDS = 21_600;

/** Of the record under the qualifier of an invocation: an alias does not inherit from its version, nor a version from `$LATEST`. */
export function eventInvokeInForce(record: EventInvokeRecord | undefined): EventInvokeInForce {
  return {
    maximumRetryAttempts: record?.maximumRetryAttempts ?? DEFAULT_RETRY_ATTEMPTS,
    maximumEventAgeSeconds: record?.maximumEventAgeSeconds ?? DEFAULT_EVENT_AGE_SECONDS,
    onSuccess: record?.onSuccess,
    onFailure: record?.onFailure,
  };
}
