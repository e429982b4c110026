// Entry of the Node bootstrap: boot, wait for the function, load it, then loop. Speaks runtime/protocol.ts on descriptor 3.
import Module from 'node:module';
import type { Specialise } from '../../runtime/protocol.ts';
import { defineAwslambda } from './awslambda.ts';
import { Logger } from './console.ts';
import { readFunctionFacts } from './context.ts';
import { runtimeError } from './errors.ts';
import { Faults } from './faults.ts';
import { FrameByte, FrameReader, FrameWriter } from './frames.ts';
import { generationOf } from './generation.ts';
import type { CurrentInvocation } from './invocation.ts';
import { type LoadedHandler, loadHandler } from './load-handler.ts';
import { InvokeLoop } from './loop.ts';
import { createMaxRss } from './max-rss.ts';
import { importFromNodePath } from './node-path.ts';
import { exit, now, parseJson, setImmediate } from './primordials.ts';
import { replaceOutputStreams } from './streams.ts';
import { openWithdrawn } from './withdrawn.ts';

const CONTROL_FD = 3;

/** Not in Node's types: reads NODE_PATH again. Node itself read it at process start, before the function's was known. */
interface ModuleInternals {
  _initPaths(): void;
}

const CALLBACK_WARNING =
  'AWS Lambda plans to remove support for callback-based function handlers starting with Node.js 24. You will need to update this function to use an async handler to use Node.js 24 or later. For more information and to provide feedback on this change, see https://github.com/aws/aws-lambda-nodejs-runtime-interface-client/issues/137. To disable this warning, set the AWS_LAMBDA_NODEJS_DISABLE_CALLBACK_WARNING environment variable.';

async function start(): Promise<void> {
  // Node would take fd 3 for an IPC channel and hand the function process.send().
  delete process.env['NODE_CHANNEL_FD'];
  delete process.env['NODE_CHANNEL_SERIALIZATION_MODE'];
  const reader = new FrameReader(CONTROL_FD);
  const writer = new FrameWriter(CONTROL_FD, () => exit(0));
  const maxRssKib = createMaxRss();
  writer.up(maxRssKib());
  if (reader.next() !== FrameByte.S) exit(0); // a slot that was never needed

  const specialise = parseJson(reader.rest()) as Specialise; // the host's word
  const withdrawnUpTo = openWithdrawn(specialise.withdrawnFile);
  if (specialise.keepsEnvironment !== true) replaceEnvironment(specialise.env);
  const env = ownEnvironment();
  if (specialise.importsFromNodePath) importFromNodePath(process.env['NODE_PATH'] ?? '');
  const generation = generationOf(env['AWS_EXECUTION_ENV'], process.versions.node);
  const invocation: CurrentInvocation = {
    sequence: 0,
    requestId: undefined,
    tenantId: undefined,
    traceId: undefined,
  };
  const logger = new Logger({ sink: writer, invocation, generation, env });
  logger.patch(console);
  replaceOutputStreams(process, writer, now);
  const faults = new Faults({ writer, logger, generation, maxRssKib });
  faults.install(process);

  const loaded = await load();
  const facts = readFunctionFacts(process.env);
  const loop = new InvokeLoop({
    reader,
    writer,
    logger,
    generation,
    loaded,
    facts,
    invocation,
    maxRssKib,
    withdrawnUpTo,
  });
  // One turn first: what top-level code has thrown or rejected unseen still fails the init.
  setImmediate(() => {
    faults.initDone(loop);
    writer.ready(maxRssKib());
    loop.takeNext();
  });

  async function load(): Promise<LoadedHandler> {
    try {
      const taskRoot = env['LAMBDA_TASK_ROOT'] ?? process.cwd();
      process.chdir(taskRoot);
      defineAwslambda(env, generation, invocation);
      const handlerString = env['_HANDLER'];
      if (!handlerString) {
        throw runtimeError(
          generation,
          'Runtime.PlatformError',
          '_HANDLER environment variable is not set',
        );
      }
      const warn = (message: string): void => logger.warn(message);
      const found = await loadHandler({ generation, taskRoot, handlerString, warn });
      if (generation === 'v3' && takesCallback(found)) logger.warn(CALLBACK_WARNING);
      return found;
    } catch (error) {
      return faults.initFailed(error);
    }
  }
}

/** A copy, which the function cannot change any more. */
function ownEnvironment(): Specialise['env'] {
  const entries = Object.entries(process.env).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Specialise['env']; // filtered on the line before
}

function replaceEnvironment(env: Specialise['env']): void {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  (Module as unknown as ModuleInternals)._initPaths(); // see ModuleInternals
}

/** v3 warns of what v4 refuses. */
function takesCallback({ handler, isStreaming }: LoadedHandler): boolean {
  if (process.env['AWS_LAMBDA_NODEJS_DISABLE_CALLBACK_WARNING'] !== undefined) return false;
  return handler.length === 3 && !isStreaming && handler.constructor?.name !== 'AsyncFunction';
}

void start();
