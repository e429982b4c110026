// STS, as much of it as can be told truly: who a caller is. Roles grant nothing here, so none can be assumed.
import { createHash } from 'node:crypto';
import type { Caller } from '../auth/caller.ts';
import { idCharacters } from '../auth/key-material.ts';
import type { Identities } from '../iam/identities.ts';
import { scopeOf } from '../iam/names.ts';
import {
  createQueryService,
  type QueryServiceOptions,
  queryOperation,
  type SignedService,
} from '../query/service.ts';

const noSessions =
  'is not available on this host: its roles grant nothing, so a session of one could do nothing. Keys and what they may do are listed in secrets/credentials.json';

export function createSts(
  identities: Identities,
  edge: Pick<QueryServiceOptions<Identities>, 'authenticator' | 'onFault'>,
): SignedService {
  return createQueryService({
    name: 'sts',
    version: '2011-06-15',
    namespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
    operations: [GetCallerIdentity],
    refused: Object.fromEntries(
      ['AssumeRole', 'AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity', 'GetSessionToken'].map(
        (name) => [name, `${name} ${noSessions}`],
      ),
    ),
    resourceOf: () => '*',
    parts: identities,
    ...edge,
  });
}

/** Needs no right at all, as on the service. */
const GetCallerIdentity = queryOperation<Identities, Record<never, never>>(
  'GetCallerIdentity',
  'nothing',
  {},
  async (_input, caller, identities) => ({
    Arn: caller.principal,
    UserId: userIdOf(caller, identities),
    Account: caller.account,
  }),
);

/** The account for its root; else the id of a user, or that of a role with the session's name. */
function userIdOf(caller: Caller, identities: Identities): string {
  const [, , , , , resource = ''] = caller.principal.split(':');
  const [kind = '', name = '', session = ''] = resource.split('/');
  if (kind === 'assumed-role') return `${roleIdOf(caller, name, identities)}:${session}`;
  return kind === 'user' ? derivedId('AIDA', caller.principal) : caller.account;
}

/** A role need not be kept here for a function to have it. */
function roleIdOf(caller: Caller, name: string, identities: Identities): string {
  const role = identities.account(scopeOf(caller)).findRole(name);
  return role?.id ?? derivedId('AROA', `${caller.account} ${name}`);
}

/** The same for the same text: users and such roles have no record that an id could be kept in. */
function derivedId(prefix: 'AIDA' | 'AROA', text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 17);
  return `${prefix}${idCharacters(bytes)}`;
}
