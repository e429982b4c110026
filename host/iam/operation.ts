// How operations of IAM are declared: what they read is the caller's account, what they change goes through one decision.

import type { Fields, InputOf } from '../query/fields.ts';
import {
  type Access,
  type QueryOperation,
  type QueryOutput,
  queryOperation,
} from '../query/service.ts';
import type { IamAccount, IamChange, Identities } from './identities.ts';
import { scopeOf } from './names.ts';

export type IamOperation = QueryOperation<Identities>;

/** An operation that changes nothing. */
export function reading<Of extends Fields>(
  name: string,
  fields: Of,
  show: (input: InputOf<Of>, account: IamAccount) => QueryOutput,
): IamOperation {
  return declare(name, 'read', fields, async (input, identities, scope) =>
    show(input, identities.account(scope)),
  );
}

/** What a change puts in place, and what is answered once it is on disk. */
export interface IamDecision {
  readonly changes: readonly IamChange[];
  readonly result?: QueryOutput;
}

/** An operation that changes the account. */
export function changing<Of extends Fields>(
  name: string,
  fields: Of,
  decide: (input: InputOf<Of>, account: IamAccount, identities: Identities) => IamDecision,
): IamOperation {
  return declare(name, 'write', fields, (input, identities, scope) =>
    identities.change(scope, (account) => {
      const { changes, result } = decide(input, account, identities);
      return { changes, result };
    }),
  );
}

function declare<Of extends Fields>(
  name: string,
  access: Access,
  fields: Of,
  run: (
    input: InputOf<Of>,
    identities: Identities,
    scope: ReturnType<typeof scopeOf>,
  ) => Promise<QueryOutput>,
): IamOperation {
  return queryOperation<Identities, Of>(name, access, fields, (input, caller, identities) =>
    run(input, identities, scopeOf(caller)),
  );
}
