// Permissions and policies as tests give and read them.
import {
  AddPermissionCommand,
  type AddPermissionCommandInput,
  GetPolicyCommand,
  type LambdaClient,
  RemovePermissionCommand,
  type RemovePermissionCommandInput,
} from '@aws-sdk/client-lambda';

/** What statements are read as by clients. */
export interface Statement {
  readonly Sid: string;
  readonly Effect: string;
  readonly Principal: unknown;
  readonly Action: string;
  readonly Resource: string;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Lets everybody invoke `f` unless told otherwise; answers the text of the statement. */
export async function permit(
  client: LambdaClient,
  more: Partial<AddPermissionCommandInput> = {},
): Promise<string> {
  const input = {
    FunctionName: 'f',
    StatementId: 's',
    Action: 'lambda:InvokeFunction',
    Principal: '*',
    ...more,
  };
  return (await client.send(new AddPermissionCommand(input))).Statement ?? '';
}

export async function withdraw(
  client: LambdaClient,
  StatementId: string,
  more: Partial<RemovePermissionCommandInput> = {},
): Promise<number | undefined> {
  const command = new RemovePermissionCommand({ FunctionName: 'f', StatementId, ...more });
  return (await client.send(command)).$metadata.httpStatusCode;
}

export interface ShownPolicy {
  readonly text: string;
  readonly revisionId: string;
  readonly statements: readonly Statement[];
}

export async function policyOf(
  client: LambdaClient,
  FunctionName = 'f',
  Qualifier?: string,
): Promise<ShownPolicy> {
  const command = new GetPolicyCommand({ FunctionName, Qualifier });
  const { Policy: text = '', RevisionId: revisionId = '' } = await client.send(command);
  const { Statement } = JSON.parse(text) as { readonly Statement: readonly Statement[] }; // as: the form of a policy
  return { text, revisionId, statements: Statement };
}

/** Ids of its statements; undefined where there is no policy. */
export async function sidsOf(
  client: LambdaClient,
  FunctionName = 'f',
  Qualifier?: string,
): Promise<readonly string[] | undefined> {
  try {
    return (await policyOf(client, FunctionName, Qualifier)).statements.map(({ Sid }) => Sid);
  } catch (error) {
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}
