// What is stored of a function. Records are replaced, never edited; a published version is a record of its own.
import type {
  Architecture,
  DeadLetterConfig,
  FileSystemConfig,
  RecursiveLoop,
  SnapStart,
  StateReasonCode,
} from '../api/model/types.ts';
import type { ProvisionedConcurrencyRecord } from '../concurrency/record.ts';
import type { EventInvokeRecord } from '../event-invoke/record.ts';
import type { FunctionUrlRecord } from '../function-urls/record.ts';
import type { PolicyRecord } from '../policies/policy.ts';
import type { RuntimeManagementRecord } from './runtime-management.ts';

export interface CodeReference {
  /** SHA-256 of the package, hex: its name in the blob store. */
  readonly digest: string;
  /** The same, base64: `CodeSha256`. */
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly unzippedBytes: number;
}

/** A layer version as a function has it: with all that the function needs of it, since the version itself may be deleted. */
export interface AttachedLayer {
  readonly arn: string;
  readonly content: CodeReference;
}

export interface LoggingSettings {
  readonly logFormat: 'Text' | 'JSON';
  /** Both only with format JSON. */
  readonly applicationLogLevel?: string | undefined;
  readonly systemLogLevel?: string | undefined;
  /** Undefined: the default group of the function. */
  readonly logGroup?: string | undefined;
}

export interface VpcSettings {
  readonly subnetIds: readonly string[];
  readonly securityGroupIds: readonly string[];
  readonly ipv6AllowedForDualStack: boolean;
}

/** Everything that configuration calls can set. */
export interface FunctionSettings {
  readonly runtime: string;
  readonly handler: string;
  readonly role: string;
  readonly description: string;
  /** Seconds. */
  readonly timeout: number;
  /** MiB. */
  readonly memorySize: number;
  readonly ephemeralStorageMib: number;
  readonly architectures: readonly Architecture[];
  /** Undefined: never given. */
  readonly variables?: Readonly<Record<string, string>> | undefined;
  readonly logging: LoggingSettings;
  readonly tracingMode: 'Active' | 'PassThrough';
  readonly deadLetter?: DeadLetterConfig | undefined;
  readonly vpc?: VpcSettings | undefined;
  readonly kmsKeyArn?: string | undefined;
  readonly fileSystems?: readonly FileSystemConfig[] | undefined;
  readonly snapStart: NonNullable<SnapStart['ApplyOn']>;
  /** Each environment serves one tenant; undefined: there are no tenants. Fixed by the creation. */
  readonly tenantIsolation?: 'PER_TENANT' | undefined;
  readonly code: CodeReference;
  /** In the order in which they are laid over one another; undefined when there are none. */
  readonly layers?: readonly AttachedLayer[] | undefined;
  readonly sourceKmsKeyArn?: string | undefined;
}

export type FunctionState = 'Pending' | 'Active' | 'Failed';
export type UpdateStatus = 'InProgress' | 'Successful' | 'Failed';

export interface StateReason {
  readonly text: string;
  readonly code: StateReasonCode;
}

/** One version: `$LATEST` or a published number. */
export interface VersionRecord {
  /** `$LATEST` or a number in decimal. */
  readonly version: string;
  readonly settings: FunctionSettings;
  /** New whenever code or configuration changes: environments are made for one of these. */
  readonly configurationId: string;
  /** `2024-01-01T00:00:00.000+0000`. */
  readonly lastModified: string;
  readonly revisionId: string;
  readonly state: FunctionState;
  readonly stateReason?: StateReason | undefined;
  /** Undefined until the creation has ended. */
  readonly lastUpdateStatus?: UpdateStatus | undefined;
  readonly lastUpdateReason?: StateReason | undefined;
}

export interface FunctionRecord {
  readonly account: string;
  readonly region: string;
  readonly name: string;
  readonly latest: VersionRecord;
  /** While an update is in progress: what invocations of `$LATEST` still run. */
  readonly serving?: VersionRecord | undefined;
  /** The number that the next published version gets. Never falls. */
  readonly nextVersion: number;
  /** The version published last, whether or not it is still there, and a hash of the settings it was published of. */
  readonly lastPublished?: { readonly version: string; readonly contentHash: string } | undefined;
  readonly tags: Readonly<Record<string, string>>;
  /** Decides whether packages without a trusted signature may be deployed. */
  readonly codeSigningConfigArn?: string | undefined;
  /** Undefined: Terminate. */
  readonly recursiveLoop?: RecursiveLoop | undefined;
  /** What all its versions may run together, and are guaranteed; undefined: what nobody is promised. */
  readonly reservedConcurrency?: number | undefined;
}

/** A name for a version, or for two that share the invocations. */
export interface AliasRecord {
  readonly name: string;
  /** `$LATEST` or a number. */
  readonly version: string;
  readonly description: string;
  readonly revisionId: string;
  /** The other version with its share of the invocations, 0 to 1; the primary has the rest. */
  readonly additional?: { readonly version: string; readonly weight: number } | undefined;
}

/** What belongs to a function and ends with it, by its kind in the registry. */
export interface FunctionParts {
  /** Published versions, named by their number. */
  version: VersionRecord;
  /** Named by the alias. */
  alias: AliasRecord;
  /** Resource policies, named by the qualifier. */
  policy: PolicyRecord;
  /** Named by the qualifier. */
  'event-invoke-config': EventInvokeRecord;
  /** Named by the qualifier: a version or an alias. */
  'provisioned-concurrency': ProvisionedConcurrencyRecord;
  /** Named by the alias, `$LATEST` for the unqualified function. */
  'function-url': FunctionUrlRecord;
  /** Named by the version, `$LATEST` or a number. */
  'runtime-management': RuntimeManagementRecord;
}

export const FUNCTION_PART_KINDS = [
  'version',
  'alias',
  'policy',
  'event-invoke-config',
  'provisioned-concurrency',
  'function-url',
  'runtime-management',
] as const satisfies readonly (keyof FunctionParts)[];

/** What functions of one account and region have in common. */
export function functionScope(account: string, region: string): string {
  return `${account}/${region}`;
}

export function functionKey(account: string, region: string, name: string): string {
  return `${functionScope(account, region)}/${name}`;
}

/** `yyyy-mm-ddThh:mm:ss.mmm+0000`, as LastModified has it. */
export function lastModifiedText(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('Z', '+0000');
}
