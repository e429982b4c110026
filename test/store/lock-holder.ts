// Opens a data directory, says how that went and, if it was let in, stays until it is killed.
// Argument: data directory.
import { openDataDirectory } from '../../host/store/data-directory.ts';

const [dataDir] = process.argv.slice(2);
if (dataDir === undefined) throw new Error('data directory, please');

try {
  const directory = await openDataDirectory(dataDir);
  console.log(`open ${directory.hostId}`);
  setInterval(() => undefined, 1_000_000);
} catch (error) {
  console.log(error instanceof Error ? `${error.name}: ${error.message}` : error);
}
