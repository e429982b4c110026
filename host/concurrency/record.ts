// What is stored of provisioned concurrency. What becomes of it is a fact of the running host and is not stored.

/** Under the qualifier that it is provisioned for, a version or an alias. */
export interface ProvisionedConcurrencyRecord {
  /** So many environments are to be kept. */
  readonly requested: number;
  /** `2019-12-31T20:28:49+0000`. */
  readonly lastModified: string;
}
