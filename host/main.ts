// The edge of the process: arguments, environment, signals, exit code. What a command does is in cli/.
import { closeInheritedDescriptors } from '../runtime/sandbox/descriptors.ts';
import { type Command, readCommand } from './cli/command-line.ts';

// First of all: a sandbox inherits whatever descriptor lacks close-on-exec.
closeInheritedDescriptors();

const EXIT_USAGE = 2;

await run(readCommand(process.argv.slice(2)));

async function run(command: Command): Promise<void> {
  switch (command.kind) {
    case 'start':
      return await start(command.args);
    case 'help':
      return await start(['--help']);
    case 'version': {
      const { versionText } = await import('./cli/version.ts');
      process.stdout.write(`${versionText(command.json)}\n`);
      return;
    }
    case 'refused':
      process.stderr.write(`${command.problem}\n`);
      process.exitCode = EXIT_USAGE;
      return;
    default:
      command satisfies never;
  }
}

async function start(startArgs: readonly string[]): Promise<void> {
  const { runStart } = await import('./cli/start.ts');
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(1);
    controller.abort();
  };
  // Whoever reads what we print may go away: functions are served nevertheless, and what runs is still finished.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', ignoreBrokenPipe);
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  process.exitCode = await runStart({
    args: startArgs,
    env: process.env,
    cwd: process.cwd(),
    signal: controller.signal,
    endWithin: (ms) => {
      setTimeout(() => process.exit(1), ms).unref();
    },
    print: (line) => process.stdout.write(`${line}\n`),
    printError: (line) => process.stderr.write(`${line}\n`),
  });
  process.off('SIGINT', onSignal);
  process.off('SIGTERM', onSignal);
}

function ignoreBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}
