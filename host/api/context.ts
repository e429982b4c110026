// What an operation's handler is given beside its input: who asks and where, and the parts of the host that it may need.
import type { PolicySource } from '../auth/authorize.ts';
import type { Caller } from '../auth/caller.ts';
import type { CapacityProviders } from '../capacity/capacity-providers.ts';
import type { CodeSigningConfigs } from '../code-signing/code-signing-configs.ts';
import type { Allotments } from '../concurrency/allotments.ts';
import type { Provisioning } from '../concurrency/provisioning.ts';
import type { Concurrency } from '../dispatch/concurrency.ts';
import type { FunctionUrls } from '../function-urls/function-urls.ts';
import type { Activation } from '../functions/activation.ts';
import type { PackageIntake, S3Fetch } from '../functions/code-source.ts';
import type { RuntimeHash } from '../functions/configuration.ts';
import type { Functions } from '../functions/functions.ts';
import type { Stamp } from '../functions/lifecycle.ts';
import type { SettingsLimits } from '../functions/settings.ts';
import type { Layers } from '../layers/layers.ts';

/** The parts, the same for every request. */
export interface OperationParts {
  readonly functions: Functions;
  readonly layers: Layers;
  readonly functionUrls: FunctionUrls;
  readonly codeSigning: CodeSigningConfigs;
  readonly capacityProviders: CapacityProviders;
  readonly activation: Activation;
  /** Every operation asks whether the caller may call it. */
  readonly policies: PolicySource;
  readonly concurrency: Concurrency;
  readonly allotments: Allotments;
  readonly provisioning: Provisioning;
  readonly packages: PackageIntake;
  readonly fetchFromS3: S3Fetch;
  readonly limits: SettingsLimits & {
    /** What all packages of one account in one region may have together. */
    readonly codeStorageBytes: number;
  };
  readonly runtimeHash: RuntimeHash;
  /** Time and ids for new records. */
  readonly stamp: () => Stamp;
}

/** Account and region are the scope that every record and ARN of the request belongs to; the caller may be of another account. */
export interface OperationContext extends OperationParts {
  readonly requestId: string;
  readonly caller: Caller;
  readonly account: string;
  readonly region: string;
  readonly partition: string;
  /** Scheme, name and port by which the caller reaches this host, without a slash at the end. */
  readonly origin: string;
  /** A link that anyone may GET for ten minutes and that gives the package. */
  codeLink(digest: string): string;
}
