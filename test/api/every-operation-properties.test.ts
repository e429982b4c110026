// Whatever values an operation is given, at the bounds of the model and beyond, for things that exist and that do not: the answer is
// a success or an error of the model, and an error changes nothing.
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { text as textOf } from 'node:stream/consumers';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { operations } from '../../host/api/index.ts';
import { lambdaModel, type ModelOperation } from '../../host/api/model/model.ts';
import { returning } from '../support/functions.ts';
import { inputsOf, requestFor, type Values } from '../support/model-requests.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';

const RUNS = 60;

/** Errors that any operation may answer, beside those that the model lists for it. */
const COMMON_ERRORS = [
  'ValidationException',
  'SerializationException',
  'AccessDeniedException',
  'RequestEntityTooLargeException',
  'RequestTooLargeException',
  'InvalidParameterValueException',
];

/** Names of things that exist, or are well formed, so that requests get past the first look-up. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  FunctionName: ['f', 'f:1', 'f:live', 'arn:aws:lambda:us-east-1:000000000000:function:f', 'gone'],
  Qualifier: ['1', 'live', '$LATEST', '7'],
  Name: ['live', 'other'],
  FunctionVersion: ['1', '$LATEST', '7'],
  StatementId: ['s'],
  LayerName: ['l'],
  VersionNumber: ['1'],
  Resource: ['arn:aws:lambda:us-east-1:000000000000:function:f'],
  ResourceArn: ['arn:aws:lambda:us-east-1:000000000000:function:f:live'],
  Role: ['arn:aws:iam::000000000000:role/r'],
};

function inputsOnKnown(operation: ModelOperation): fc.Arbitrary<Values> {
  const known = Object.entries(KNOWN).filter(([member]) => member in operation.input.members);
  const overrides = fc.record(
    Object.fromEntries(known.map(([member, names]) => [member, fc.constantFrom(...names)])),
    { requiredKeys: [] },
  );
  const isOnKnown = fc.integer({ min: 0, max: 3 }).map((n) => n > 0);
  return fc
    .tuple(inputsOf(operation), overrides, isOnKnown)
    .map(([values, names, uses]) => (uses ? { ...values, ...names } : values));
}

/** Looks at what the host has stored, from beside it. */
class Stored implements Disposable {
  readonly #database: DatabaseSync;

  constructor(dataDir: string) {
    this.#database = new DatabaseSync(join(dataDir, 'db', 'lambkin.db'), { readOnly: true });
  }

  /** Rises with every change. */
  get head(): unknown {
    return this.#database.prepare('SELECT head FROM registry_state').get()?.['head'];
  }

  /** Creations and updates go on after their answer. */
  async untilSettled(): Promise<void> {
    const unsettled = this.#database.prepare(
      `SELECT count(*) AS n FROM record WHERE value LIKE '%"InProgress"%' OR value LIKE '%"Pending"%'
        OR value LIKE '%"IN_PROGRESS"%'`,
    );
    while (unsettled.get()?.['n'] !== 0) await sleep(5);
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}

interface Answered {
  readonly status: number;
  readonly errorType: string;
  readonly text: string;
}

/** Not by fetch, which folds `.` and `..` in a path. */
function send(t: TestHost, operation: ModelOperation, values: Values): Promise<Answered> {
  const { url, headers, body } = requestFor(operation, values);
  const { hostname, port } = new URL(t.url);
  const { method } = operation;
  const hasBody = body.length > 0 && method !== 'GET' && method !== 'DELETE';
  const length = { 'content-type': 'application/json', 'content-length': `${body.length}` };
  return new Promise((resolve, reject) => {
    const sent = request(
      { hostname, port, method, path: url, headers: { ...headers, ...(hasBody ? length : {}) } },
      (answer) => {
        textOf(answer).then((text) => {
          const errorType = String(answer.headers['x-amzn-errortype'] ?? '').split(':')[0] ?? '';
          resolve({ status: answer.statusCode ?? 0, errorType, text });
        }, reject);
      },
    );
    sent.on('error', reject);
    sent.end(hasBody ? body : undefined);
  });
}

test('any input of any operation gets a success or an error of the model, and an error changes nothing', async (context) => {
  await using t = await startTestHost({ env: { LAMBKIN_AUTH: 'none' } });
  using stored = new Stored(t.dataDir);
  await t.deploy('f', returning('event'), { Publish: true });
  for (const name of operations.keys()) {
    const operation = lambdaModel.operations[name];
    assert.ok(operation !== undefined, name);
    const expected = new Set([...COMMON_ERRORS, ...operation.errors.map((error) => error.name)]);
    await context.test(name, async () => {
      await fc.assert(
        fc.asyncProperty(inputsOnKnown(operation), async (values) => {
          await stored.untilSettled();
          const before = stored.head;
          const { status, errorType, text } = await send(t, operation, values);
          if (status < 300) {
            await restore(t);
            return;
          }
          assert.ok(status >= 400 && status < 500, `${status} ${text}`);
          assert.ok(expected.has(errorType), `${status} ${errorType} ${text}`);
          assert.equal(typeof JSON.parse(text), 'object');
          assert.equal(stored.head, before, `${status} ${text} changed something`);
        }),
        { numRuns: RUNS },
      );
    });
  }
  const faults = t.reports.filter(
    (report) => !report.startsWith('a deployment package was refused'),
  );
  assert.deepEqual(faults, []);
});

/** A success may have removed the function that the others are about. */
async function restore(t: TestHost): Promise<void> {
  const answer = await fetch(new URL('/2015-03-31/functions/f', t.url));
  await answer.text();
  if (answer.status === 404) await t.deploy('f', returning('event'), { Publish: true });
}
