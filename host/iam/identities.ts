// Roles and policies of all accounts. An account is one aggregate, so that what spans several of them (a policy is not deleted
// while a role has it) is decided in one change.
import type { RandomBytes } from '../auth/host-key.ts';
import { type Aggregate, Aggregates, type PartChange } from '../store/aggregates.ts';
import type { Registry } from '../store/store.ts';
import { invalidInput, noSuchEntity, noSuchPolicy, noSuchRole } from './errors.ts';
import { type IamScope, isServicePolicy, policyArn } from './names.ts';
import {
  IAM_PART_KINDS,
  type IamAccountRecord,
  type IamParts,
  type ManagedPolicyRecord,
  type RoleRecord,
} from './record.ts';

export type IamChange = PartChange<IamParts>;

/** What a change decides on: the account as it is now. */
export class IamAccount {
  readonly scope: IamScope;
  readonly #held: Aggregate<IamAccountRecord, IamParts> | undefined;

  constructor(scope: IamScope, held: Aggregate<IamAccountRecord, IamParts> | undefined) {
    this.scope = scope;
    this.#held = held;
  }

  findRole(name: string): RoleRecord | undefined {
    return this.#held?.part('iam-role', name.toLowerCase());
  }

  /** Throws NoSuchEntity. */
  role(name: string): RoleRecord {
    const role = this.findRole(name);
    if (role === undefined) throw noSuchRole(name);
    return role;
  }

  /** By name, ascending. */
  roles(): readonly RoleRecord[] {
    return this.#all('iam-role');
  }

  findPolicyByName(name: string): ManagedPolicyRecord | undefined {
    return this.#held?.part('iam-policy', name.toLowerCase());
  }

  findPolicy(arn: string): ManagedPolicyRecord | undefined {
    const policy = this.findPolicyByName(arn.slice(arn.lastIndexOf('/') + 1));
    return policy !== undefined && policyArn(this.scope, policy) === arn ? policy : undefined;
  }

  /** Throws NoSuchEntity. */
  policy(arn: string): ManagedPolicyRecord {
    const policy = this.findPolicy(arn);
    if (policy === undefined) throw noSuchPolicy(arn);
    return policy;
  }

  /**
   * Policies of the account must exist; of those that the service provides no list is kept, and any name of one is taken. Throws
   * NoSuchEntity, and InvalidInput for what is no ARN, such as the bare name of a policy.
   */
  requireAttachable(arn: string): void {
    if (isServicePolicy(this.scope, arn) || this.findPolicy(arn) !== undefined) return;
    if (!arn.startsWith('arn:')) throw invalidInput(`ARN ${arn} is not valid.`);
    throw noSuchEntity(`Policy ${arn} does not exist or is not attachable.`);
  }

  /** By name, ascending. */
  policies(): readonly ManagedPolicyRecord[] {
    return this.#all('iam-policy');
  }

  #all<Kind extends keyof IamParts>(kind: Kind): readonly IamParts[Kind][] {
    return [...(this.#held?.parts(kind) ?? [])]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([, value]) => value);
  }
}

export interface IdentitiesOptions {
  readonly registry: Registry;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly random: RandomBytes;
}

export class Identities {
  readonly now: () => number;
  readonly random: RandomBytes;
  readonly #held: Aggregates<IamAccountRecord, IamParts>;

  private constructor(
    held: Aggregates<IamAccountRecord, IamParts>,
    { now, random }: IdentitiesOptions,
  ) {
    this.#held = held;
    this.now = now;
    this.random = random;
  }

  /** Reads all records into memory. */
  static async open(options: IdentitiesOptions): Promise<Identities> {
    const kinds = { root: 'iam-account', parts: IAM_PART_KINDS };
    return new Identities(await Aggregates.open(options.registry, kinds), options);
  }

  account(scope: IamScope): IamAccount {
    return new IamAccount(scope, this.#held.get(keyOf(scope)));
  }

  /** Changes one account: `decide` says what is to be put, and throws to change nothing. Resolves when it is on disk. */
  change<Result>(
    scope: IamScope,
    decide: (account: IamAccount) => { changes: readonly IamChange[]; result: Result },
  ): Promise<Result> {
    return this.#held.change(keyOf(scope), (held) => {
      const { changes, result } = decide(new IamAccount(scope, held));
      const { account, partition } = scope;
      return { change: { root: held?.root ?? { account, partition }, parts: changes }, result };
    });
  }
}

export function putRole(role: RoleRecord): IamChange {
  return { kind: 'iam-role', name: role.name.toLowerCase(), value: role };
}

export function removeRole({ name }: RoleRecord): IamChange {
  return { kind: 'iam-role', name: name.toLowerCase(), value: undefined };
}

export function putPolicy(policy: ManagedPolicyRecord): IamChange {
  return { kind: 'iam-policy', name: policy.name.toLowerCase(), value: policy };
}

export function removePolicy({ name }: ManagedPolicyRecord): IamChange {
  return { kind: 'iam-policy', name: name.toLowerCase(), value: undefined };
}

function keyOf({ partition, account }: IamScope): string {
  return `${partition}/${account}`;
}
