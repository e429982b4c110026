// The edge of the process: arguments, environment, signals, exit code. What a command does is in cli/.
import { closeInheritedDescriptors } from '../runtime/sandbox/descriptors.ts';

// First of all: a sandbox inherits whatever descriptor lacks close-on-exec.
closeInheritedDescriptors();

const EXIT_USAGE = 2;
const [command, ...args] = process.argv.slice(2);

if (command === 'start') await start(args);
else if (command === '--help' || command === '-h' || command === 'help') await start(['--help']);
else {
  process.stderr.write(
    `${command === undefined ? 'Which command?' : `There is no command '${command}'.`} Commands: start. Try: lambkin start --help\n`,
  );
  process.exitCode = EXIT_USAGE;
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
