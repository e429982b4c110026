// What a caller may expect of the API here: which operations only keep what they are given, and what becomes of each member of
// CreateFunctionRequest. README shows both; a test holds it to them.
import type { CreateFunctionRequest, OperationName } from './model/types.ts';

/** Operations that keep and show what they are given, with the reason why nothing else comes of it. */
export const storedOnly: Readonly<Partial<Record<OperationName, string>>> = {
  CreateCapacityProvider: 'functions cannot run on one yet',
  UpdateCapacityProvider: 'functions cannot run on one yet',
  CreateFunctionUrlConfig: 'requests to the URLs are not served yet',
  UpdateFunctionUrlConfig: 'requests to the URLs are not served yet',
};

export interface MemberEffect {
  /** `part`: some of its values act, others are refused. */
  readonly kind: 'acts' | 'shown' | 'refused' | 'part';
  readonly how: string;
}

/** Every member of CreateFunctionRequest; updates treat theirs alike. */
export const createFunctionMembers: Readonly<Record<keyof CreateFunctionRequest, MemberEffect>> = {
  FunctionName: { kind: 'acts', how: 'every form of name and ARN' },
  Runtime: {
    kind: 'part',
    how: 'Node, Python and custom runtimes run; functions of the others can be kept, and invoking them says what is missing',
  },
  Role: {
    kind: 'acts',
    how: "the identity of the function's credentials; mapped to real ones by secrets/roles.json",
  },
  Handler: { kind: 'acts', how: 'as on the service' },
  Code: {
    kind: 'part',
    how: 'ZipFile, S3Bucket with S3Key and S3ObjectVersion; ImageUri and S3ObjectStorageMode REFERENCE are refused',
  },
  Description: { kind: 'acts', how: 'shown; versions keep their own' },
  Timeout: { kind: 'acts', how: 'the whole process tree is killed at the deadline' },
  MemorySize: { kind: 'acts', how: 'by cgroup where one can be written, else by polling' },
  Publish: { kind: 'acts', how: 'publishes a version with the call' },
  PublishTo: { kind: 'refused', how: 'belongs to capacity providers' },
  VpcConfig: {
    kind: 'shown',
    how: 'there are no VPCs here: functions use the network of the host',
  },
  PackageType: { kind: 'part', how: 'Zip; Image is refused' },
  DeadLetterConfig: {
    kind: 'acts',
    how: 'SQS queues and SNS topics; events that are given up are kept by the host as well',
  },
  Environment: { kind: 'acts', how: '4 KB, reserved names refused' },
  KMSKeyArn: { kind: 'shown', how: 'nothing is encrypted with it' },
  TracingConfig: {
    kind: 'part',
    how: 'the trace header is passed on, new ones say Sampled=1 with Active; no traces are sent',
  },
  Tags: { kind: 'acts', how: 'kept, listed, changed' },
  Layers: {
    kind: 'acts',
    how: 'in /opt, in their order, read-only; extensions in them run beside the runtime',
  },
  FileSystemConfigs: { kind: 'shown', how: 'nothing is mounted' },
  CodeSigningConfigArn: {
    kind: 'acts',
    how: 'no package can be signed here: Enforce refuses every deployment, Warn lets it pass',
  },
  ImageConfig: { kind: 'refused', how: 'belongs to images' },
  Architectures: {
    kind: 'acts',
    how: 'a function for another machine can be kept; invoking it names the architecture that is missing',
  },
  EphemeralStorage: { kind: 'acts', how: 'the size of /tmp' },
  SnapStart: {
    kind: 'acts',
    how: 'a version is initialised when it is published and fails if that does; hooks run around the restore. There are no snapshots: an environment beyond the first runs its static code anew',
  },
  LoggingConfig: { kind: 'acts', how: 'format, both levels, log group' },
  TenancyConfig: { kind: 'acts', how: 'an environment serves one tenant, for its whole life' },
  CapacityProviderConfig: {
    kind: 'refused',
    how: 'needs several events at once in one environment',
  },
  DurableConfig: { kind: 'refused', how: 'not built yet' },
};
