// The few commands of the AWS CLI that README's walk uses, for machines without it. Flags become members, files are read as
// the CLI reads them, --query knows a member and a list of members.
import { readFileSync, writeFileSync } from 'node:fs';
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  InvokeCommand,
  LambdaClient,
  ListFunctionsCommand,
  UpdateFunctionCodeCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';

const [service, operation, ...rest] = process.argv.slice(2);
if (service !== 'lambda') throw new Error(`only lambda is known here, not ${service}`);
const { options, words } = parse(rest);
const client = new LambdaClient({});
const answer = await run();
if (answer !== undefined) print(answer);

async function run(): Promise<object | undefined> {
  const FunctionName = text('function-name');
  switch (operation) {
    case 'create-function':
      return await client.send(
        new CreateFunctionCommand({
          FunctionName,
          Runtime: 'nodejs24.x',
          Handler: text('handler'),
          Role: text('role'),
          Code: { ZipFile: file('zip-file') },
        }),
      );
    case 'update-function-code':
      return await client.send(
        new UpdateFunctionCodeCommand({ FunctionName, ZipFile: file('zip-file') }),
      );
    case 'list-functions':
      return await client.send(new ListFunctionsCommand({}));
    case 'delete-function':
      await client.send(new DeleteFunctionCommand({ FunctionName }));
      return undefined;
    case 'invoke':
      return await invoke(FunctionName);
    case 'wait':
      await wait(FunctionName);
      return undefined;
    default:
      throw new Error(`README does not use aws lambda ${operation}`);
  }
}

async function invoke(FunctionName: string): Promise<object> {
  const { Payload, ...members } = await client.send(
    new InvokeCommand({
      FunctionName,
      Payload: file('payload'),
      LogType: options.get('log-type') === 'Tail' ? 'Tail' : 'None',
    }),
  );
  const [outfile] = words;
  if (outfile === undefined) throw new Error('invoke needs a file for the answer');
  writeFileSync(outfile, Payload ?? '');
  return members;
}

async function wait(FunctionName: string): Promise<void> {
  const waiter =
    words[0] === 'function-active-v2' ? waitUntilFunctionActiveV2 : waitUntilFunctionUpdatedV2;
  await waiter({ client, maxWaitTime: 30, minDelay: 1 }, { FunctionName });
}

function parse(args: readonly string[]): { options: Map<string, string>; words: string[] } {
  const found = { options: new Map<string, string>(), words: [] as string[] };
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] ?? '';
    if (!word.startsWith('--')) found.words.push(word);
    else found.options.set(word.slice(2), args[(at += 1)] ?? '');
  }
  return found;
}

function text(name: string): string {
  return options.get(name) ?? '';
}

function file(name: string): Uint8Array {
  const value = text(name);
  if (!value.startsWith('fileb://')) throw new Error(`--${name} must be fileb://FILE`);
  return readFileSync(value.slice('fileb://'.length));
}

function print(value: object): void {
  const query = options.get('query');
  const [member = '', inner] = (query ?? '').split('[].');
  const found: unknown = query === undefined ? value : Reflect.get(value, member);
  const picked =
    Array.isArray(found) && inner !== undefined
      ? found.map((each: object): unknown => Reflect.get(each, inner))
      : found;
  process.stdout.write(
    options.get('output') === 'text'
      ? `${String(picked)}\n`
      : `${JSON.stringify(picked, null, 4)}\n`,
  );
}
